//! A guest's standard output or standard error.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

use super::limiter::OutputLimiter;
use crate::limits::LOG_LINE_BYTES;

/// Bytes a guest may hand over in one write.
const WRITE_BYTES: usize = 64 * 1024;

/// The request that is printing at the moment, in one store. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct CurrentRequest(Arc<Mutex<Option<Arc<str>>>>);

impl CurrentRequest {
    /// From now on, what is printed belongs to `request`.
    pub fn set(&self, request: Option<Arc<str>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = request;
    }

    /// The request that what is printed now belongs to.
    pub fn get(&self) -> Option<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Who prints.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The component's id.
    pub component: Arc<str>,
    /// Its version.
    pub version: Arc<str>,
}

/// Which of a guest's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl OutputKind {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// One stream of one instance. Each line becomes an event of target `guest` with the fields `component`, `version`,
/// `stream` and, where it is known, `request.id`.
///
/// Writing never waits, and holds at most [`LOG_LINE_BYTES`]: longer lines are cut, and what exceeds the component's
/// [`OutputLimiter`] is counted and dropped.
#[derive(Clone)]
pub struct GuestOutput {
    lines: Arc<Lines>,
    /// The request for which this handle was opened, where one handle serves one request only.
    opened_for: Option<Arc<str>>,
}

impl GuestOutput {
    /// The stream `kind` of an instance of `origin`, whose lines belong to what `request` says at that time.
    pub fn new(origin: Origin, kind: OutputKind, limiter: Arc<OutputLimiter>, request: CurrentRequest) -> Self {
        let lines = Lines { origin, kind, limiter, request, pending: Mutex::default() };
        Self { lines: Arc::new(lines), opened_for: None }
    }

    fn print(&self, bytes: &[u8]) {
        let request = self.opened_for.clone().or_else(|| self.lines.request.get());
        self.lines.print(request, bytes);
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // What goes through a stream of WASI 0.3 is written later, outside any guest task: the request is the one that
        // opened it.
        Box::new(Self { lines: self.lines.clone(), opened_for: self.lines.request.get() })
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

impl AsyncWrite for GuestOutput {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.print(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Cuts what is printed into lines.
struct Lines {
    origin: Origin,
    kind: OutputKind,
    limiter: Arc<OutputLimiter>,
    request: CurrentRequest,
    pending: Mutex<Pending>,
}

/// The line that is not complete yet.
#[derive(Default)]
struct Pending {
    request: Option<Arc<str>>,
    text: Vec<u8>,
}

impl Lines {
    fn print(&self, request: Option<Arc<str>>, mut bytes: &[u8]) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.request != request {
            // Half a line of one request must not become the beginning of another's.
            self.end_line(&mut pending);
            pending.request = request;
        }
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            self.extend(&mut pending, line);
            self.log(&pending);
            pending.text.clear();
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.extend(&mut pending, bytes);
    }

    /// Adds to the line, which is cut where it grows too long.
    fn extend(&self, pending: &mut Pending, mut bytes: &[u8]) {
        while pending.text.len() + bytes.len() > LOG_LINE_BYTES {
            let room = LOG_LINE_BYTES.saturating_sub(pending.text.len());
            let (fits, rest) = bytes.split_at(room.min(bytes.len()));
            pending.text.extend_from_slice(fits);
            let cut = character_boundary(&pending.text);
            let carried = pending.text.split_off(cut);
            self.log(pending);
            pending.text = carried;
            bytes = rest;
        }
        pending.text.extend_from_slice(bytes);
    }

    fn end_line(&self, pending: &mut Pending) {
        if !pending.text.is_empty() {
            self.log(pending);
            pending.text.clear();
        }
    }

    fn log(&self, line: &Pending) {
        let verdict = self.limiter.judge(Instant::now(), line.text.len());
        self.tell_dropped(verdict.dropped_before);
        if verdict.logged {
            tracing::info!(
                target: "guest",
                component = &*self.origin.component,
                version = &*self.origin.version,
                stream = self.kind.name(),
                request.id = line.request.as_deref(),
                "{}",
                printable(&line.text),
            );
        }
    }

    fn tell_dropped(&self, bytes: u64) {
        if bytes > 0 {
            tracing::warn!(
                target: "guest",
                component = &*self.origin.component,
                version = &*self.origin.version,
                dropped_bytes = bytes,
                "the component prints more than is logged; {bytes} bytes of its output were dropped",
            );
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let mut pending = std::mem::take(self.pending.get_mut().unwrap_or_else(PoisonError::into_inner));
        self.end_line(&mut pending);
        self.tell_dropped(self.limiter.take_dropped());
    }
}

/// Where `text` can be cut without halving a character of UTF-8: its length, or up to three bytes less.
fn character_boundary(text: &[u8]) -> usize {
    let tail = text.iter().rev().take(4);
    let Some(back) = tail.clone().position(|byte| byte & 0b1100_0000 != 0b1000_0000) else {
        return text.len();
    };
    let lead = text.len().saturating_sub(back + 1);
    let announced = match text.get(lead).map(|byte| byte.leading_ones()) {
        Some(ones @ 2..=4) => ones as usize,
        _ => 1,
    };
    if announced > back + 1 && lead > 0 { lead } else { text.len() }
}

/// The text without what would steer a terminal: a guest must not be able to recolour or overwrite other lines.
fn printable(text: &[u8]) -> String {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    String::from_utf8_lossy(text)
        .chars()
        .map(|character| match character {
            '\t' => '\t',
            control if control.is_control() => char::REPLACEMENT_CHARACTER,
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use tracing::{
        Event, Metadata, Subscriber,
        field::{Field, Visit},
        span,
    };

    use super::*;

    /// Collects events as `request.id|message`.
    #[derive(Clone, Default)]
    struct Collected(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Collected {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &Event<'_>) {
            let mut line = Line::default();
            event.record(&mut line);
            self.0.lock().unwrap().push(format!("{}|{}", line.request, line.message));
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[derive(Default)]
    struct Line {
        request: String,
        message: String,
    }

    impl Visit for Line {
        fn record_str(&mut self, field: &Field, value: &str) {
            if field.name() == "request.id" {
                self.request = value.to_owned();
            }
        }
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            if field.name() == "message" {
                self.message = format!("{value:?}");
            }
        }
    }

    /// What is logged when `print` writes with an allowance of `bytes_per_second`.
    fn logged(bytes_per_second: usize, print: impl FnOnce(&mut GuestOutput, &CurrentRequest)) -> Vec<String> {
        let collected = Collected::default();
        tracing::subscriber::with_default(collected.clone(), || {
            let origin = Origin { component: "hello".into(), version: "1".into() };
            let request = CurrentRequest::default();
            let limiter = Arc::new(OutputLimiter::new(bytes_per_second));
            let mut output = GuestOutput::new(origin, OutputKind::Stdout, limiter, request.clone());
            print(&mut output, &request);
        });
        let lines = collected.0.lock().unwrap();
        lines.clone()
    }

    fn write(output: &mut GuestOutput, text: &str) {
        OutputStream::write(output, Bytes::copy_from_slice(text.as_bytes())).unwrap();
    }

    #[test]
    fn each_line_is_logged_once_whatever_the_writes() {
        let lines = logged(10_000, |output, _| {
            for piece in ["one\ntw", "o", "\n", "\nfour"] {
                write(output, piece);
            }
        });
        assert_eq!(lines, ["|one", "|two", "|", "|four"]);
    }

    #[test]
    fn lines_name_the_request_that_printed_them() {
        let lines = logged(10_000, |output, request| {
            request.set(Some("a".into()));
            write(output, "half of a");
            request.set(Some("b".into()));
            write(output, "b whole\n");
        });
        assert_eq!(lines, ["a|half of a", "b|b whole"]);
    }

    #[test]
    fn a_stream_of_wasi_0_3_keeps_the_request_that_opened_it() {
        let lines = logged(10_000, |output, request| {
            request.set(Some("a".into()));
            let mut stream = Box::into_pin(output.async_stream());
            request.set(Some("b".into()));
            let mut context = Context::from_waker(std::task::Waker::noop());
            assert!(stream.as_mut().poll_write(&mut context, b"late\n").is_ready());
        });
        assert_eq!(lines, ["a|late"]);
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let lines = logged(1_000_000, |output, _| write(output, &"ä".repeat(LOG_LINE_BYTES)));
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| !line.contains(char::REPLACEMENT_CHARACTER)));

        let lines = logged(1_000_000, |output, _| write(output, &format!("x{}", "ä".repeat(LOG_LINE_BYTES))));
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| !line.contains(char::REPLACEMENT_CHARACTER)));
    }

    #[test]
    fn a_flood_is_cut_off_and_told() {
        let lines = logged(10_000, |output, _| {
            for _ in 0..1_000 {
                write(output, &format!("{}\n", "x".repeat(1_000)));
            }
        });
        assert!(lines.len() < 12, "{} lines", lines.len());
        assert!(lines.last().unwrap().contains("bytes of its output were dropped"));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let lines = logged(10_000, |output, _| write(output, "\u{1b}[31mred\r\n"));
        assert_eq!(lines, ["|\u{fffd}[31mred"]);
    }
}
