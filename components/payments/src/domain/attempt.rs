//! One attempt to take the money, known under its own key before the provider hears of it.

/// How an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// What became of it is not known yet.
    Open,
    /// It took the money.
    Succeeded,
    /// The provider refused it for good.
    Declined,
    /// The provider could not make sense of it; nothing moved.
    Invalid,
    /// Its order was cancelled before anything moved. Should it succeed all the same, the money goes back.
    Abandoned,
}

impl AttemptState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Succeeded, Self::Declined, Self::Invalid, Self::Abandoned];

    /// The word for it in SQL.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Succeeded => "succeeded",
            Self::Declined => "declined",
            Self::Invalid => "invalid",
            Self::Abandoned => "abandoned",
        }
    }

    /// The state with this word; `None` when there is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// One attempt to take the money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The payment that it is for.
    pub payment_id: i64,
    /// Its number within the payment, from 1.
    pub number: i64,
    /// The key under which the provider knows it.
    pub key: String,
    /// The provider that was asked.
    pub provider: String,
    /// The customer's token, while the attempt is open.
    pub token: Option<super::token::Token>,
    /// How it stands.
    pub state: AttemptState,
    /// The provider's id of the charge, or its code of a refusal.
    pub result: Option<String>,
    /// Where the customer must act, when the provider asked for it.
    pub action_url: Option<String>,
    /// The trace of the request that began it, and so of what becomes of it.
    pub traceparent: Option<String>,
}

/// What became of an attempt or a refund, in the provider's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money moved; the provider's id.
    Succeeded(String),
    /// Refused for good; a code.
    Declined(String),
    /// The request made no sense and moved nothing; how.
    Invalid(String),
    /// The customer must act at this address.
    ActionRequired(String),
    /// Not known yet.
    Pending,
}

/// The key under which the provider knows an attempt: `payment-17-2`.
pub fn attempt_key(payment_id: i64, number: i64) -> String {
    format!("payment-{payment_id}-{number}")
}
