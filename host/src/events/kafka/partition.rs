//! What a host has in hand of one partition, and up to where everything before it is done.

use std::{
    collections::BTreeSet,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use crate::limits::{MESSAGES_AHEAD, MESSAGES_HELD, MESSAGES_HELD_BYTES};

/// One partition, for as long as it is this host's.
pub(super) struct Partition {
    /// Nothing further is to be begun.
    pub stop: CancellationToken,
    hand: Mutex<Hand>,
    finished: Condvar,
}

#[derive(Default)]
struct Hand {
    /// Offsets that are not done.
    open: BTreeSet<i64>,
    bytes: usize,
    /// Deliveries under way; fewer than `open` once some were given up.
    running: usize,
    /// The offset behind the last message that was taken up.
    next: Option<i64>,
    /// The position that was told last.
    told: Option<i64>,
    paused: bool,
}

/// What is to be done about fetching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fetch {
    Pause,
    Resume,
}

impl Partition {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { stop, hand: Mutex::default(), finished: Condvar::new() }
    }

    /// A message is being delivered.
    pub(super) fn takes_up(&self, offset: i64, bytes: usize) {
        let mut hand = self.hand();
        hand.open.insert(offset);
        hand.bytes += bytes;
        hand.running += 1;
        hand.next = Some(offset + 1);
    }

    /// Its delivery has come to an end; `done` says whether it had its effect.
    pub(super) fn finishes(&self, offset: i64, bytes: usize, done: bool) {
        let mut hand = self.hand();
        if done {
            hand.open.remove(&offset);
        }
        hand.bytes = hand.bytes.saturating_sub(bytes);
        hand.running = hand.running.saturating_sub(1);
        if hand.running == 0 {
            self.finished.notify_all();
        }
    }

    /// The offset before which everything is done, where that is news.
    pub(super) fn new_position(&self) -> Option<i64> {
        let mut hand = self.hand();
        let position = hand.open.first().copied().or(hand.next)?;
        (hand.told.replace(position) != Some(position)).then_some(position)
    }

    /// Whether fetching is to be paused or resumed now.
    pub(super) fn fetch(&self) -> Option<Fetch> {
        let mut hand = self.hand();
        let ahead = hand.next.zip(hand.open.first()).map_or(0, |(next, first)| next - first);
        let fills = |part: usize| {
            hand.open.len() >= MESSAGES_HELD / part
                || hand.bytes >= MESSAGES_HELD_BYTES / part
                || ahead >= MESSAGES_AHEAD / i64::try_from(part).unwrap_or(1)
        };
        let change = match hand.paused {
            false if fills(1) => Fetch::Pause,
            // Not at once, so that it does not go to and fro.
            true if !fills(2) => Fetch::Resume,
            _ => return None,
        };
        hand.paused = change == Fetch::Pause;
        Some(change)
    }

    /// Waits until no delivery is under way any more; says whether that was so in time.
    pub(super) fn is_idle_by(&self, deadline: Instant) -> bool {
        let mut hand = self.hand();
        while hand.running > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return false;
            }
            hand = self.finished.wait_timeout(hand, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition() -> Partition {
        Partition::new(CancellationToken::new())
    }

    #[test]
    fn the_position_is_before_the_first_that_is_not_done() {
        let partition = partition();
        assert_eq!(partition.new_position(), None);
        // Offsets have gaps where a topic was compacted.
        for offset in [7, 8, 12] {
            partition.takes_up(offset, 1);
        }
        assert_eq!(partition.new_position(), Some(7));
        partition.finishes(8, 1, true);
        assert_eq!(partition.new_position(), None, "7 is still open");
        partition.finishes(7, 1, true);
        assert_eq!(partition.new_position(), Some(12));
        partition.finishes(12, 1, true);
        assert_eq!(partition.new_position(), Some(13));
    }

    #[test]
    fn what_was_given_up_is_not_passed() {
        let partition = partition();
        partition.takes_up(3, 1);
        partition.takes_up(4, 1);
        partition.finishes(3, 1, false);
        partition.finishes(4, 1, true);
        assert_eq!(partition.new_position(), Some(3));
        assert!(partition.is_idle_by(Instant::now()));
    }

    #[test]
    fn a_full_hand_fetches_no_more_until_it_is_half_empty() {
        let partition = partition();
        let held = i64::try_from(MESSAGES_HELD).unwrap();
        (0..held).for_each(|offset| partition.takes_up(offset, 1));
        assert_eq!(partition.fetch(), Some(Fetch::Pause));
        assert_eq!(partition.fetch(), None);
        (0..held / 2).for_each(|offset| partition.finishes(offset, 1, true));
        assert_eq!(partition.fetch(), None);
        partition.finishes(held / 2, 1, true);
        assert_eq!(partition.fetch(), Some(Fetch::Resume));
    }

    #[test]
    fn one_that_is_parked_lets_only_so_many_pass() {
        let partition = partition();
        partition.takes_up(0, 1);
        for offset in 1..MESSAGES_AHEAD {
            partition.takes_up(offset, 1);
            partition.finishes(offset, 1, true);
        }
        assert_eq!(partition.fetch(), Some(Fetch::Pause));
        partition.finishes(0, 1, true);
        assert_eq!(partition.fetch(), Some(Fetch::Resume));
    }
}
