//! A question: what is asked of whom, and how patiently.

use std::time::Duration;

use super::failure::Failure;

/// One function, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The interface and the function: `directory/get-user`.
    pub function: &'static str,
    /// The arguments as a JSON array.
    pub arguments: Vec<u8>,
    /// How it may be asked.
    pub manner: Manner,
}

/// How a function may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Whether asking once more is harmless though the first time may have had its effect.
    pub repeatable: bool,
    /// How long one attempt may take.
    pub attempt: Duration,
    /// How long all of it may take, pauses included.
    pub patience: Duration,
}

impl Manner {
    /// What asks or may be repeated. Two of these, one after the other, leave time for the rest of a request.
    pub const REPEATABLE: Self =
        Self { repeatable: true, attempt: Duration::from_secs(2), patience: Duration::from_secs(4) };

    /// What may be repeated and takes its time: a provider asks others in its turn. Whoever asks has a patience of their own, which
    /// ends before this one.
    pub const PATIENT: Self =
        Self { repeatable: true, attempt: Duration::from_secs(10), patience: Duration::from_secs(10) };

    /// What moves money. One key moves it once, but whoever asks knows best when to ask anew.
    pub const ONCE: Self = Self { repeatable: false, ..Self::PATIENT };

    /// Whether, after this failure, the question may be asked again.
    pub fn allows_again(&self, failure: &Failure) -> bool {
        match failure {
            Failure::Unreached(_) => true,
            Failure::Silent(_) | Failure::Failed(_) => self.repeatable,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_heard_may_always_be_asked_again() {
        for manner in [Manner::REPEATABLE, Manner::ONCE] {
            assert!(manner.allows_again(&Failure::Unreached(String::new())));
            for lasting in [Failure::Refused(404), Failure::LeftAlone, Failure::Unreadable(String::new())] {
                assert!(!manner.allows_again(&lasting), "{lasting}");
            }
        }
    }

    #[test]
    fn what_may_have_had_its_effect_is_asked_again_only_where_that_is_harmless() {
        for doubtful in [Failure::Silent(String::new()), Failure::Failed(502)] {
            assert!(Manner::REPEATABLE.allows_again(&doubtful));
            assert!(!Manner::ONCE.allows_again(&doubtful));
        }
    }
}
