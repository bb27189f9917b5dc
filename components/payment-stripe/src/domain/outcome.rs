//! What the payments are told.

use super::ports::StoreError;

/// What became of a charge or a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money moved; the id of the intent or the refund.
    Succeeded(String),
    /// Refused for good; a code.
    Declined(String),
    /// The customer must act at this address.
    ActionRequired(String),
    /// Under way.
    Pending,
}

/// Why there is no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The request itself is wrong, and moved nothing.
    Invalid(String),
    /// Nothing has moved.
    NotFound,
    /// It is not known whether something moved; the text is for the log.
    Unavailable(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
