//! One change of one payment with all that belongs to it, to be stored in one statement or not at all.

use super::attempt::AttemptState;
use super::event::Event;
use super::payment::Payment;
use super::token::Token;

/// A change of a payment, which applies only to the version it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The payment as it will be.
    pub payment: Payment,
    /// An attempt that begins.
    pub opens: Option<NewAttempt>,
    /// What becomes of an attempt.
    pub marks: Option<MarkedAttempt>,
    /// A refund that is promised.
    pub promises: Option<NewRefund>,
    /// What became of a refund.
    pub settles: Option<SettledRefund>,
    /// What is told to others.
    pub event: Option<Event>,
    /// The event or webhook that caused it, to be remembered with it.
    pub cause: Option<String>,
    /// The trace that it belongs to; an attempt or a refund that begins remembers it.
    pub traceparent: Option<String>,
}

/// An attempt that begins. The idempotency key that this request holds remembers its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAttempt {
    /// Its number.
    pub number: i64,
    /// The key under which the provider will know it.
    pub key: String,
    /// The provider that will be asked.
    pub provider: String,
    /// The customer's token.
    pub token: Token,
}

/// What becomes of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkedAttempt {
    /// Its number.
    pub number: i64,
    /// How it stands from now on.
    pub state: AttemptState,
    /// The provider's id or code.
    pub result: Option<String>,
    /// Where the customer must act.
    pub action_url: Option<String>,
}

/// A refund that is promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefund {
    /// Its number, where a key has fixed it; otherwise the next one.
    pub id: Option<i64>,
    /// The key under which the provider will know it.
    pub key: String,
    /// How much.
    pub amount: kit::Money,
    /// Why.
    pub reason: String,
}

/// What became of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledRefund {
    /// Its number.
    pub id: i64,
    /// Whether the money went back.
    pub succeeded: bool,
    /// The provider's id or code.
    pub result: String,
}

/// How a write went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is stored; the answer too, unless another attempt has taken the key over.
    Done {
        /// Whether the answer is stored.
        answered: bool,
    },
    /// The payment moved on meanwhile: nothing is stored.
    Outrun,
}

impl Write {
    /// A change to this payment and to nothing else.
    pub fn of(payment: Payment) -> Self {
        Self {
            payment,
            opens: None,
            marks: None,
            promises: None,
            settles: None,
            event: None,
            cause: None,
            traceparent: None,
        }
    }

    /// The same write, remembered as the effect of this event or webhook.
    pub fn caused_by(mut self, cause: Option<&str>) -> Self {
        self.cause = cause.map(str::to_owned);
        self
    }

    /// The same write, as part of this trace.
    pub fn traced(mut self, traceparent: Option<&str>) -> Self {
        self.traceparent = traceparent.map(str::to_owned);
        self
    }
}
