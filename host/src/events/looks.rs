//! When a look into an outbox is worth what it costs.

use std::time::{Duration, Instant};

/// The longest pause between two looks, and how long one may not hear of a topic that nobody has heard of yet.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A look that goes through what is in hand anyway, and finds nothing else, may take a tenth of the time.
const PAUSE_PER_LOOK: u32 = 9;

/// Which topics have as much in hand as they may, so that a look passes over all that waits on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// None.
    No,
    /// Some of those that were seen.
    Some,
    /// All that were seen.
    All,
}

/// The looks of one relay.
pub(super) struct Looks {
    next: Instant,
}

impl Looks {
    pub(super) fn new() -> Self {
        Self { next: Instant::now() }
    }

    /// Whether it is time for one.
    pub(super) fn are_due(&self) -> bool {
        Instant::now() >= self.next
    }

    /// A key is free again, so there may be something to find.
    pub(super) fn are_worthwhile(&mut self) {
        self.next = Instant::now();
    }

    /// One was made; says when the next is due.
    pub(super) fn made(&mut self, took: Duration, found: bool, full: Full) {
        let pause = match full {
            Full::Some if !found => took.saturating_mul(PAUSE_PER_LOOK).min(LONGEST_PAUSE),
            Full::All if !found => LONGEST_PAUSE,
            _ => Duration::ZERO,
        };
        self.next = Instant::now() + pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_enough_in_hand_does_not_look_through_what_waits_behind_it() {
        let took = Duration::from_millis(1);
        let mut looks = Looks::new();
        assert!(looks.are_due());
        looks.made(took, false, Full::No);
        assert!(looks.are_due());
        looks.made(took, true, Full::All);
        assert!(looks.are_due(), "it has found something");
        looks.made(took, false, Full::All);
        assert!(!looks.are_due());
        looks.are_worthwhile();
        assert!(looks.are_due());
        looks.made(Duration::from_secs(1), false, Full::Some);
        assert!(!looks.are_due(), "it took long");
        assert!(looks.next <= Instant::now() + LONGEST_PAUSE);
    }
}
