//! What each test token makes happen.

/// How often a flaky charge is refused before it works.
pub const FLAKY_FAILURES: i64 = 2;
/// How long a late answer takes: longer than any caller of good sense waits.
pub const LATE_SECONDS: u64 = 6;

/// What a test token makes happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// `tok_ok`
    Succeeds,
    /// `tok_declined`
    Declines,
    /// `tok_timeout`: it succeeds, but says so too late.
    SucceedsLate,
    /// `tok_flaky`: it fails twice, then works.
    FailsTwice,
    /// `tok_3ds`: the customer must act.
    AsksForAction,
}

/// What the sandbox remembers of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The money moved.
    Succeeded,
    /// Refused for good.
    Declined,
    /// The customer must act.
    ActionRequired,
    /// Nothing moved yet; it has to be asked for again.
    Failing,
    /// Given up: nothing moved, and nothing will.
    Withdrawn,
}

impl Behaviour {
    /// The behaviour of this token; `None` for a token that the sandbox never gave.
    pub fn of(token: &str) -> Option<Self> {
        match token {
            "tok_ok" => Some(Self::Succeeds),
            "tok_declined" => Some(Self::Declines),
            "tok_timeout" => Some(Self::SucceedsLate),
            "tok_flaky" => Some(Self::FailsTwice),
            "tok_3ds" => Some(Self::AsksForAction),
            _ => None,
        }
    }

    /// The state in which a charge with it begins.
    pub fn begins_as(self) -> State {
        match self {
            Self::Succeeds | Self::SucceedsLate => State::Succeeded,
            Self::Declines => State::Declined,
            Self::FailsTwice => State::Failing,
            Self::AsksForAction => State::ActionRequired,
        }
    }
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Succeeded, Self::Declined, Self::ActionRequired, Self::Failing, Self::Withdrawn];

    /// The word for it in SQL.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Declined => "declined",
            Self::ActionRequired => "action_required",
            Self::Failing => "failing",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state with this word; `None` when there is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// The code that goes with it.
    pub fn code(self) -> Option<&'static str> {
        (self == Self::Declined).then_some("card_declined")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_begins_as_its_name_says() {
        let begins = |token| Behaviour::of(token).map(Behaviour::begins_as);
        assert_eq!(begins("tok_ok"), Some(State::Succeeded));
        assert_eq!(begins("tok_declined"), Some(State::Declined));
        assert_eq!(begins("tok_timeout"), Some(State::Succeeded));
        assert_eq!(begins("tok_flaky"), Some(State::Failing));
        assert_eq!(begins("tok_3ds"), Some(State::ActionRequired));
        assert_eq!(begins("tok_unheard_of"), None);
    }

    #[test]
    fn every_word_reads_back_as_what_it_was() {
        for state in State::ALL {
            assert_eq!(State::parse(state.word()), Some(state));
        }
    }
}
