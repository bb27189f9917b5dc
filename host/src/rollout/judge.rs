//! Is a version on trial as good as the one it is to replace? Pure.

use std::time::Duration;

use crate::service::Count;

/// With fewer requests than this on either side nothing is said, however long it takes.
const LEAST_REQUESTS: u64 = 30;

/// So many that went wrong may be chance.
const LEAST_WRONG: u64 = 3;

/// How much larger the part that goes wrong may be than that of the active version.
const WORSE_BY: f64 = 0.01;

/// How many times slower the slowest hundredth may be, and by how much in any case.
const SLOWER: f64 = 2.0;
const SLOWER_BY: Duration = Duration::from_millis(20);

/// What both versions have done since a trial began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The active one.
    pub active: Count,
    /// The one on trial.
    pub trial: Count,
}

impl Seen {
    /// What has come since an earlier look.
    pub fn since(&self, earlier: &Self) -> Self {
        Self { active: self.active.since(&earlier.active), trial: self.trial.since(&earlier.trial) }
    }
}

/// What to do with a version on trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Watch on.
    Wait,
    /// Let it answer everything.
    Promote,
    /// Take it away, for this reason.
    RollBack(String),
}

/// Judges what both versions did since the trial began. More errors end it at once; speed is judged when the time is up.
pub fn judge(Seen { active, trial }: &Seen, passed: Duration, window: Duration) -> Judgement {
    let (ours, theirs) = (wrong_part(trial), wrong_part(active));
    if trial.wrong() >= LEAST_WRONG && ours > theirs + WORSE_BY {
        return Judgement::RollBack(format!(
            "{} of {} requests went wrong, against {} of {} on the active version",
            trial.wrong(),
            trial.total(),
            active.wrong(),
            active.total()
        ));
    }
    if passed < window || trial.total() < LEAST_REQUESTS || active.total() < LEAST_REQUESTS {
        return Judgement::Wait;
    }
    let (slow, usual) = (trial.percentile(0.99), active.percentile(0.99));
    if slow > usual.mul_f64(SLOWER).max(usual + SLOWER_BY) {
        return Judgement::RollBack(format!(
            "its p99 was {:.1} ms, against {:.1} ms on the active version",
            slow.as_secs_f64() * 1e3,
            usual.as_secs_f64() * 1e3
        ));
    }
    Judgement::Promote
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
fn wrong_part(count: &Count) -> f64 {
    match count.total() {
        0 => 0.0,
        total => count.wrong() as f64 / total as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{Ended, Tally};

    const WINDOW: Duration = Duration::from_secs(60);

    fn count(well: usize, badly: usize, took_ms: u64) -> Count {
        let tally = Tally::default();
        (0..well).for_each(|_| tally.note(Ended::Well, Duration::from_millis(took_ms)));
        (0..badly).for_each(|_| tally.note(Ended::Badly, Duration::from_millis(took_ms)));
        tally.count()
    }

    /// Both, by how many answers were good and bad, and how many milliseconds they took.
    fn seen(active: (usize, usize, u64), trial: (usize, usize, u64)) -> Seen {
        Seen { active: count(active.0, active.1, active.2), trial: count(trial.0, trial.1, trial.2) }
    }

    #[test]
    fn one_that_is_as_good_is_promoted_when_the_time_is_up_and_not_before() {
        let seen = seen((900, 1, 5), (100, 0, 5));
        assert_eq!(judge(&seen, WINDOW / 2, WINDOW), Judgement::Wait);
        assert_eq!(judge(&seen, WINDOW, WINDOW), Judgement::Promote);
    }

    #[test]
    fn errors_end_a_trial_at_once() {
        let judgement = judge(&seen((900, 0, 5), (50, 5, 5)), WINDOW / 10, WINDOW);
        assert!(matches!(&judgement, Judgement::RollBack(why) if why.contains("5 of 55")), "{judgement:?}");
    }

    #[test]
    fn errors_that_the_active_version_has_as_well_do_not_count_against_the_new_one() {
        let judgement = judge(&seen((900, 100, 5), (90, 10, 5)), WINDOW, WINDOW);
        assert_eq!(judgement, Judgement::Promote);
    }

    #[test]
    fn one_that_is_much_slower_is_taken_away() {
        let judgement = judge(&seen((900, 0, 50), (100, 0, 150)), WINDOW, WINDOW);
        assert!(matches!(&judgement, Judgement::RollBack(why) if why.contains("p99")), "{judgement:?}");
        let a_little = judge(&seen((900, 0, 1), (100, 0, 12)), WINDOW, WINDOW);
        assert_eq!(a_little, Judgement::Promote);
    }

    #[test]
    fn nothing_is_said_about_one_that_was_hardly_asked() {
        assert_eq!(judge(&seen((900, 0, 5), (3, 0, 5)), WINDOW * 10, WINDOW), Judgement::Wait);
    }
}
