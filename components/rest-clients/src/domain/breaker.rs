//! A circuit breaker: whoever does not answer is left alone for a while, so that those who ask learn it at once and those who
//! come back are not met by everybody.

use std::time::{Duration, Instant};

/// Failures in a row after which nobody is asked any more.
pub const FAILURES: u32 = 5;
/// How long that lasts at first; each time that a trial fails, twice as long.
pub const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How long it lasts at most: how late a peer that is back is noticed.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long one trial keeps others away. One that was given up, with the request that it was for, says nothing.
pub const TRIAL: Duration = Duration::from_secs(2);

/// What is known of one address. An instance of the component has one for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Everybody may ask; so many failures in a row.
    Closed { failures: u32 },
    /// Nobody may ask until then; afterwards one may try.
    Open { until: Instant, pause: Duration },
    /// One is trying. Who has heard nothing by then gives way to another.
    Trying { until: Instant, pause: Duration },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Whether a question may be asked now. After a pause that goes for one question, a trial.
    pub fn admits(&mut self, now: Instant) -> bool {
        match self.state {
            State::Closed { .. } => true,
            State::Open { until, .. } | State::Trying { until, .. } if now < until => false,
            State::Open { pause, .. } | State::Trying { pause, .. } => {
                self.state = State::Trying { until: now + TRIAL, pause };
                true
            }
        }
    }

    /// Notes an answer, whatever it says.
    pub fn succeeded(&mut self) {
        self.state = State::default();
    }

    /// Notes that there was none.
    pub fn failed(&mut self, now: Instant) {
        self.state = match self.state {
            State::Closed { failures } if failures + 1 < FAILURES => State::Closed { failures: failures + 1 },
            State::Closed { .. } => State::Open { until: now + FIRST_PAUSE, pause: FIRST_PAUSE },
            // It was sent before the pause began, and says nothing new.
            State::Open { until, pause } => State::Open { until, pause },
            State::Trying { pause, .. } => {
                let pause = (pause * 2).min(LONGEST_PAUSE);
                State::Open { until: now + pause, pause }
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn open(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        (0..FAILURES).for_each(|_| breaker.failed(now));
        breaker
    }

    #[test]
    fn a_few_failures_keep_nobody_away() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..20 {
            (1..FAILURES).for_each(|_| breaker.failed(now));
            assert!(breaker.admits(now));
            breaker.succeeded();
        }
    }

    #[test]
    fn after_failures_in_a_row_nobody_asks_until_the_pause_is_over_and_then_one_tries() {
        let now = Instant::now();
        let mut breaker = open(now);
        assert!(!breaker.admits(now));
        let later = now + FIRST_PAUSE;
        assert!(breaker.admits(later));
        assert!(!breaker.admits(later), "two try at once");
        breaker.succeeded();
        assert!(breaker.admits(later) && breaker.admits(later));
    }

    #[test]
    fn a_trial_of_which_nothing_is_heard_gives_way_to_another() {
        let now = Instant::now();
        let mut breaker = open(now);
        let later = now + FIRST_PAUSE;
        assert!(breaker.admits(later) && !breaker.admits(later));
        assert!(breaker.admits(later + TRIAL));
    }

    #[test]
    fn pauses_grow_while_trials_fail_and_begin_anew_after_an_answer() {
        let mut now = Instant::now();
        let mut breaker = open(now);
        for pause_ms in [500, 1000, 2000, 4000, 5000, 5000] {
            let pause = Duration::from_millis(pause_ms);
            assert!(!breaker.admits(now + pause - Duration::from_millis(1)), "{pause_ms}");
            now += pause;
            assert!(breaker.admits(now), "{pause_ms}");
            breaker.failed(now);
        }
        breaker.succeeded();
        (0..FAILURES).for_each(|_| breaker.failed(now));
        assert!(breaker.admits(now + FIRST_PAUSE));
    }

    #[test]
    fn what_was_sent_before_the_pause_does_not_make_it_longer() {
        let now = Instant::now();
        let mut breaker = open(now);
        (0..20).for_each(|_| breaker.failed(now));
        assert!(breaker.admits(now + FIRST_PAUSE));
    }

    proptest! {
        /// Whatever has happened: who answers again is asked again before long.
        #[test]
        fn nobody_is_left_alone_for_ever(steps in prop::collection::vec((0_u8..3, 0_u64..10_000), 0..60)) {
            let mut now = Instant::now();
            let mut breaker = Breaker::default();
            for (step, pause_ms) in steps {
                now += Duration::from_millis(pause_ms);
                match step {
                    0 => breaker.failed(now),
                    1 => breaker.succeeded(),
                    _ => drop(breaker.admits(now)),
                }
            }
            prop_assert!(breaker.admits(now + LONGEST_PAUSE));
        }
    }
}
