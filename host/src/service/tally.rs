//! What a version has done: how many answers, how many of them bad, and how long they took.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// Time spans are told apart by their first three binary digits, so a percentile is at most an eighth too high.
const SPANS_PER_DOUBLING: u32 = 8;

/// From a microsecond to over an hour.
const SPANS: usize = 32 * SPANS_PER_DOUBLING as usize;

/// Counts what happens; any number of threads may add to it.
#[derive(Debug)]
pub struct Tally {
    answered: AtomicU64,
    failed: AtomicU64,
    bad: AtomicU64,
    spans: Box<[AtomicU64]>,
}

/// A tally at one moment, or the difference of two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Requests and calls that were answered.
    pub answered: u64,
    /// Of these, answers that own up to a fault: HTTP status 500 and above, events that were not taken, `unavailable`.
    pub bad: u64,
    /// Requests and calls that got no answer.
    pub failed: u64,
    spans: Vec<u64>,
}

/// How one request or call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With an answer.
    Well,
    /// With an answer that owns up to a fault.
    Badly,
    /// Without one.
    Failed,
}

impl Default for Tally {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self { answered: zero(), failed: zero(), bad: zero(), spans: (0..SPANS).map(|_| zero()).collect() }
    }
}

impl Tally {
    /// Adds one.
    pub fn note(&self, ended: Ended, took: Duration) {
        let counters: &[&AtomicU64] = match ended {
            Ended::Well => &[&self.answered],
            Ended::Badly => &[&self.answered, &self.bad],
            Ended::Failed => &[&self.failed],
        };
        counters.iter().for_each(|counter| _ = counter.fetch_add(1, Ordering::Relaxed));
        if let Some(span) = self.spans.get(span_of(took)) {
            span.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How it stands.
    pub fn count(&self) -> Count {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Count {
            answered: read(&self.answered),
            bad: read(&self.bad),
            failed: read(&self.failed),
            spans: self.spans.iter().map(read).collect(),
        }
    }
}

impl Count {
    /// What came after an earlier count of the same tally.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            answered: self.answered.saturating_sub(earlier.answered),
            bad: self.bad.saturating_sub(earlier.bad),
            failed: self.failed.saturating_sub(earlier.failed),
            spans: self.spans.iter().zip(&earlier.spans).map(|(now, then)| now.saturating_sub(*then)).collect(),
        }
    }

    /// What this and another tally counted together.
    pub fn with(&self, other: &Self) -> Self {
        Self {
            answered: self.answered + other.answered,
            bad: self.bad + other.bad,
            failed: self.failed + other.failed,
            spans: self.spans.iter().zip(&other.spans).map(|(one, other)| one + other).collect(),
        }
    }

    /// All requests and calls.
    pub fn total(&self) -> u64 {
        self.answered + self.failed
    }

    /// Those that went wrong.
    pub fn wrong(&self) -> u64 {
        self.bad + self.failed
    }

    /// `share` of them (0.99) took no longer; zero if there were none.
    pub fn percentile(&self, share: f64) -> Duration {
        let total: u64 = self.spans.iter().sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank among counts"
        )]
        let rank = (total as f64 * share).ceil() as u64;
        let mut below = 0;
        let found = self.spans.iter().position(|count| {
            below += count;
            below >= rank.max(1)
        });
        found.map(end_of).unwrap_or_default()
    }
}

/// The span that a time falls into.
fn span_of(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    let doublings = micros.ilog2();
    let within = if doublings >= 3 { (micros >> (doublings - 3)) & 7 } else { (micros << (3 - doublings)) & 7 };
    let span = u64::from(doublings * SPANS_PER_DOUBLING) + within;
    usize::try_from(span).unwrap_or(SPANS).min(SPANS - 1)
}

/// The longest time of a span.
fn end_of(span: usize) -> Duration {
    let span = u32::try_from(span).unwrap_or(0);
    let (doublings, within) = (span / SPANS_PER_DOUBLING, span % SPANS_PER_DOUBLING);
    let micros = 2_f64.powi(doublings.cast_signed()) * (1.0 + f64::from(within + 1) / f64::from(SPANS_PER_DOUBLING));
    Duration::from_secs_f64(micros / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_not_too_low_and_at_most_an_eighth_too_high() {
        for micros in [1, 5, 8, 9, 100, 1_000, 12_345, 3_000_000] {
            let tally = Tally::default();
            let took = Duration::from_micros(micros);
            (0..100).for_each(|_| tally.note(Ended::Well, took));
            let found = tally.count().percentile(0.99);
            assert!(found >= took && found <= took.mul_f64(1.126), "{micros}: {found:?}");
        }
    }

    #[test]
    fn the_slowest_of_a_hundred_are_beyond_the_99th_percentile() {
        let tally = Tally::default();
        (0..990).for_each(|_| tally.note(Ended::Well, Duration::from_millis(1)));
        (0..10).for_each(|_| tally.note(Ended::Well, Duration::from_secs(1)));
        let count = tally.count();
        assert!(count.percentile(0.99) < Duration::from_millis(2));
        assert!(count.percentile(0.999) >= Duration::from_secs(1));
    }

    #[test]
    fn a_window_counts_only_what_came_in_it() {
        let tally = Tally::default();
        tally.note(Ended::Failed, Duration::from_secs(5));
        let before = tally.count();
        tally.note(Ended::Badly, Duration::from_millis(1));
        tally.note(Ended::Well, Duration::from_millis(1));
        let window = tally.count().since(&before);
        assert_eq!((window.total(), window.wrong(), window.answered), (2, 1, 2));
        assert!(window.percentile(0.99) < Duration::from_millis(2));
    }

    #[test]
    fn nothing_has_taken_no_time() {
        assert_eq!(Tally::default().count().percentile(0.99), Duration::ZERO);
    }
}
