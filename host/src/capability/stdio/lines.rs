//! Lines of guest output.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use super::{
    limiter::OutputLimiter,
    output::{Origin, OutputKind},
};
use crate::limits::LOG_LINE_BYTES;

/// Cuts what is printed into lines.
pub(super) struct Lines {
    origin: Origin,
    kind: OutputKind,
    limiter: Arc<OutputLimiter>,
    pending: Mutex<Pending>,
}

/// The line that is not complete yet.
#[derive(Default)]
struct Pending {
    request: Option<Arc<str>>,
    text: Vec<u8>,
}

impl Lines {
    pub(super) fn new(origin: Origin, kind: OutputKind, limiter: Arc<OutputLimiter>) -> Self {
        Self { origin, kind, limiter, pending: Mutex::default() }
    }

    /// Takes what `request` prints.
    pub(super) fn print(&self, request: Option<Arc<str>>, mut bytes: &[u8]) {
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
