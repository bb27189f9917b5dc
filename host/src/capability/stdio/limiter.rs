//! How much of a component's output is logged.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::limits::LOG_BYTES_PER_SECOND;

/// What a log line costs beside its text: time, level, names. Without it a guest that prints empty lines would be
/// logged without bound.
const LINE_OVERHEAD_BYTES: usize = 128;

/// A component's allowance of log bytes, shared by its instances on all cores.
#[derive(Debug)]
pub struct OutputLimiter {
    bytes_per_second: usize,
    window: Mutex<Window>,
}

/// One second of output.
#[derive(Debug)]
struct Window {
    since: Instant,
    logged_bytes: usize,
    dropped_bytes: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether it is logged.
    pub logged: bool,
    /// Bytes dropped in the second before, to be told now; 0 for none.
    pub dropped_before: u64,
}

impl Default for OutputLimiter {
    fn default() -> Self {
        Self::new(LOG_BYTES_PER_SECOND)
    }
}

impl OutputLimiter {
    /// An allowance of `bytes_per_second`, each line being charged a little more than its text.
    pub fn new(bytes_per_second: usize) -> Self {
        let window = Window { since: Instant::now(), logged_bytes: 0, dropped_bytes: 0 };
        Self { bytes_per_second, window: Mutex::new(window) }
    }

    /// Decides about a line of `bytes` printed at `now`.
    pub(super) fn judge(&self, now: Instant, bytes: usize) -> Verdict {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let mut dropped_before = 0;
        if now.saturating_duration_since(window.since) >= Duration::from_secs(1) {
            dropped_before = window.dropped_bytes;
            *window = Window { since: now, logged_bytes: 0, dropped_bytes: 0 };
        }
        let cost = bytes.saturating_add(LINE_OVERHEAD_BYTES);
        let logged = window.logged_bytes.saturating_add(cost) <= self.bytes_per_second;
        if logged {
            window.logged_bytes += cost;
        } else {
            window.dropped_bytes += bytes as u64;
        }
        Verdict { logged, dropped_before }
    }

    /// Bytes dropped that nobody was told of, which counts them as told. For the end of an instance.
    pub(super) fn take_dropped(&self) -> u64 {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut window.dropped_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_the_allowance_is_dropped_and_told_in_the_next_second() {
        let limiter = OutputLimiter::new(1_000);
        let start = Instant::now();
        assert_eq!(limiter.judge(start, 500), Verdict { logged: true, dropped_before: 0 });
        assert_eq!(limiter.judge(start, 500), Verdict { logged: false, dropped_before: 0 });
        assert_eq!(limiter.judge(start, 400), Verdict { logged: false, dropped_before: 0 });

        let later = start + Duration::from_secs(2);
        assert_eq!(limiter.judge(later, 1), Verdict { logged: true, dropped_before: 900 });
        assert_eq!(limiter.judge(later, 1), Verdict { logged: true, dropped_before: 0 });
    }

    #[test]
    fn empty_lines_are_not_free() {
        let limiter = OutputLimiter::new(1_000);
        let now = Instant::now();
        let logged = (0..100).filter(|_| limiter.judge(now, 0).logged).count();
        assert_eq!(logged, 1_000 / LINE_OVERHEAD_BYTES);
    }

    #[test]
    fn what_was_dropped_last_is_told_once() {
        let limiter = OutputLimiter::new(0);
        limiter.judge(Instant::now(), 7);
        assert_eq!((limiter.take_dropped(), limiter.take_dropped()), (7, 0));
    }
}
