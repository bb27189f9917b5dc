//! What the use cases need of the world, for adapters and tests to provide.

use std::future::Future;

use kit::Money;
use kit::page::Cursor;

use super::attempt::{Attempt, Outcome};
use super::payment::{Charge, Payment};
use super::refund::Refund;
use super::write::{Write, Written};

/// The database failed.
pub use kit::Failure as StoreError;
/// Somebody who was asked cannot answer now.
pub use kit::Unavailable;

/// Which payments a list shows, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this user.
    pub user_id: Option<i64>,
    /// Only that of this order.
    pub order_id: Option<i64>,
    /// Only those behind this place.
    pub after: Option<Cursor>,
    /// At most so many.
    pub limit: i64,
}

/// A payment to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayment {
    /// The order that it is for.
    pub order_id: i64,
    /// Who is to pay.
    pub user_id: i64,
    /// How much.
    pub amount: Money,
    /// ISO 4217 code.
    pub currency: String,
    /// The order is cancelled already: the payment begins at its end.
    pub order_cancelled: bool,
    /// The trace of the order.
    pub traceparent: Option<String>,
}

/// Where payments are kept.
pub trait Payments {
    /// The payment with this id.
    fn find(&self, id: i64) -> impl Future<Output = Result<Option<Payment>, StoreError>>;
    /// The payment of this order.
    fn find_by_order(&self, order_id: i64) -> impl Future<Output = Result<Option<Payment>, StoreError>>;
    /// The payments that match.
    fn list(&self, filter: &Filter) -> impl Future<Output = Result<Vec<Payment>, StoreError>>;
    /// Opens a payment unless its order has one, and remembers the event with it.
    fn open(&self, event_id: &str, payment: &NewPayment) -> impl Future<Output = Result<(), StoreError>>;
    /// Whether this event or webhook already had its effect.
    fn has_seen(&self, event_id: &str) -> impl Future<Output = Result<bool, StoreError>>;
    /// One attempt of a payment.
    fn attempt(&self, payment_id: i64, number: i64) -> impl Future<Output = Result<Option<Attempt>, StoreError>>;
    /// The attempt that the provider knows under this key.
    fn attempt_by_key(&self, key: &str) -> impl Future<Output = Result<Option<Attempt>, StoreError>>;
    /// A refund by its number.
    fn refund(&self, id: i64) -> impl Future<Output = Result<Option<Refund>, StoreError>>;
    /// The refund that the provider knows under this key.
    fn refund_by_key(&self, key: &str) -> impl Future<Output = Result<Option<Refund>, StoreError>>;
    /// Stores the change with all that belongs to it, and the answer, unless the payment moved on meanwhile.
    fn write(&self, write: &Write) -> impl Future<Output = Result<Written, StoreError>>;
}

/// The same, for a request that holds an idempotency key.
pub trait Keyed: Payments {
    /// An answer as it is stored with the key, to be repeated word for word.
    type Answer;
    /// Stores the change with all that belongs to it, and the answer if there is one yet, unless the payment moved on
    /// meanwhile.
    fn write_answered(
        &self,
        write: &Write,
        answer: Option<&Self::Answer>,
    ) -> impl Future<Output = Result<Written, StoreError>>;
    /// Stores an answer alone; `false` when another attempt has taken the key over.
    fn answer(&self, answer: &Self::Answer) -> impl Future<Output = Result<bool, StoreError>>;
    /// Lets the next attempt with the key begin at once.
    fn release(&self) -> impl Future<Output = Result<(), StoreError>>;
}

/// What the clock looks after.
pub trait Chores: Payments {
    /// The open attempt with this provider that has been due for longest. It is put off, so that none is asked about all the
    /// time: one whose customer must act longer each time, until its order is cancelled, since its end mostly comes by
    /// webhook.
    fn attempt_due(&self, provider: &str) -> impl Future<Output = Result<Option<Attempt>, StoreError>>;
    /// The refund that has been due for longest; it is put off, longer with every try.
    fn refund_due(&self) -> impl Future<Output = Result<Option<Refund>, StoreError>>;
    /// Forgets idempotency keys after a day and events after a month.
    fn forget_the_old(&self) -> impl Future<Output = Result<(), StoreError>>;
}

/// Who may pay.
pub trait Customers {
    /// Whether this account exists and is active.
    fn is_active(&self, user_id: i64) -> impl Future<Output = Result<bool, Unavailable>>;
}

/// Who may give money back.
pub trait Administrators {
    /// Whether this account is active and an administrator's now, whatever its access token says.
    fn is_administrator(&self, user_id: i64) -> impl Future<Output = Result<bool, Unavailable>>;
}

/// Who moves the money. It may be replaced by another at any moment, and the other one does nothing with an attempt or a
/// charge that is not its own: there is no answer then.
pub trait Provider {
    /// The provider's name, as payments remember it.
    fn name(&self) -> impl Future<Output = Result<String, Unavailable>>;
    /// Takes the money of an attempt. The same key moves it once, however often it is asked.
    fn charge(&self, payment: &Payment, attempt: &Attempt) -> impl Future<Output = Result<Outcome, Unavailable>>;
    /// Gives money back. The same key moves it once.
    fn give_back(&self, refund: &Refund, charge: &Charge<'_>) -> impl Future<Output = Result<Outcome, Unavailable>>;
    /// What became of an attempt; `None` while nothing has moved.
    fn outcome_of(&self, attempt: &Attempt) -> impl Future<Output = Result<Option<Outcome>, Unavailable>>;
    /// Gives an attempt up; `None` once it is sure that nothing was charged and nothing will be, else what became of it.
    fn withdraw(&self, attempt: &Attempt) -> impl Future<Output = Result<Option<Outcome>, Unavailable>>;
}

#[cfg(test)]
#[path = "ports_fake.rs"]
pub(crate) mod fake;
