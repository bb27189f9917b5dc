//! How long a guest has kept the inner loop of its worker from its turn.

use std::time::Duration;

use tokio::time::Instant;

/// A guest that computes without a pause, or waits in a call that holds its instance, lets nothing else in the instance
/// move. The second matters only where somebody waits for that: a component of WASI 0.2 always waits that way.
#[derive(Default)]
pub(super) struct Hold {
    since: Option<Instant>,
    /// Whether jobs have waited in the meantime.
    waited_for: bool,
}

/// What happened in one turn of the outer loop.
pub(super) struct Turn {
    /// When it began.
    pub began: Instant,
    /// Whether the inner loop had its turn, too.
    pub reached_inner: bool,
    /// Whether the guest was stopped in it because the epoch ended.
    pub stopped: bool,
    /// Whether jobs wait to be taken up.
    pub jobs_wait: bool,
}

impl Hold {
    /// Takes note of a turn.
    pub fn note(&mut self, turn: &Turn) {
        if turn.reached_inner {
            *self = Self::default();
        }
        self.waited_for |= turn.jobs_wait && !turn.reached_inner;
        if !turn.stopped && !self.waited_for {
            self.since = None;
        } else if self.since.is_none() {
            self.since = Some(turn.began);
        }
    }

    /// Whether there is one at all.
    pub fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// Whether it has lasted longer than that.
    pub fn is_longer_than(&self, time: Duration) -> bool {
        self.since.is_some_and(|since| since.elapsed() > time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A turn that began so long ago.
    fn turn(ago: Duration, reached_inner: bool, stopped: bool, jobs_wait: bool) -> Turn {
        Turn { began: Instant::now() - ago, reached_inner, stopped, jobs_wait }
    }

    #[test]
    fn computing_without_a_pause_is_a_hold_whoever_waits() {
        let mut hold = Hold::default();
        hold.note(&turn(2 * SECOND, true, true, false));
        hold.note(&turn(SECOND, false, true, false));
        assert!(hold.is_longer_than(SECOND));
        hold.note(&turn(Duration::ZERO, true, true, false));
        assert!(hold.is_on() && !hold.is_longer_than(SECOND), "a turn of the inner loop begins it anew");
        hold.note(&turn(Duration::ZERO, false, false, false));
        assert!(!hold.is_on(), "it waits now");
    }

    #[test]
    fn waiting_is_a_hold_from_when_a_job_waits_for_it_until_the_inner_loop_has_a_turn() {
        let mut hold = Hold::default();
        hold.note(&turn(3 * SECOND, false, false, false));
        assert!(!hold.is_on());
        hold.note(&turn(2 * SECOND, false, false, true));
        hold.note(&turn(SECOND, false, false, false));
        assert!(hold.is_longer_than(SECOND), "the job was handed back, but the next would wait, too");
        hold.note(&turn(Duration::ZERO, true, false, false));
        assert!(!hold.is_on());
    }
}
