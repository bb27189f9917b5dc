use std::fmt;

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::*;
use crate::limits::LOG_LINE_BYTES;

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
