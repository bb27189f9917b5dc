//! What the use cases need of the world, for adapters and tests to provide.

use std::future::Future;

use kit::page::Cursor;

use super::change::Step;
use super::line::Wanted;
use super::order::{Order, Past};
use super::status::Status;

/// The database failed.
pub use kit::Failure as StoreError;
/// Somebody who was asked cannot answer now.
pub use kit::Unavailable;

/// Which orders a list shows, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this user.
    pub user_id: Option<i64>,
    /// Only those that stand here.
    pub status: Option<Status>,
    /// Only those behind this place.
    pub after: Option<Cursor>,
    /// At most so many.
    pub limit: i64,
}

/// Where orders are kept.
pub trait Orders {
    /// The order with this id.
    fn find(&self, id: i64) -> impl Future<Output = Result<Option<Order>, StoreError>>;
    /// The orders that match.
    fn list(&self, filter: &Filter) -> impl Future<Output = Result<Vec<Order>, StoreError>>;
    /// The way an order went, oldest first.
    fn history(&self, id: i64) -> impl Future<Output = Result<Vec<Past>, StoreError>>;
    /// Stores the step with its history and event, unless the order moved on meanwhile: then `false`, and nothing
    /// is stored. The step's cause goes to the inbox in the same statement.
    fn save(&self, step: &Step) -> impl Future<Output = Result<bool, StoreError>>;
    /// Whether this event already had its effect.
    fn has_seen(&self, event_id: &str) -> impl Future<Output = Result<bool, StoreError>>;
    /// Notes that this event needs no effect.
    fn remember(&self, event_id: &str) -> impl Future<Output = Result<(), StoreError>>;
    /// Pending orders whose deadline has passed, at most `limit`.
    fn overdue(&self, limit: i64) -> impl Future<Output = Result<Vec<i64>, StoreError>>;
    /// Forgets idempotency keys after a day and events after a month.
    fn forget_the_old(&self) -> impl Future<Output = Result<(), StoreError>>;
}

/// Where an order is placed, under the idempotency key that this attempt holds.
pub trait Placement {
    /// An answer as it is stored with the key, to be repeated word for word.
    type Answer;
    /// Stores order, lines, history, event and answer in one statement; `false`, and nothing is stored, when
    /// another attempt has taken the key over.
    fn place(&self, order: &Order, answer: &Self::Answer) -> impl Future<Output = Result<bool, StoreError>>;
    /// Stores a refusal as the key's answer; `false` when another attempt has taken the key over.
    fn refuse(&self, answer: &Self::Answer) -> impl Future<Output = Result<bool, StoreError>>;
    /// Lets the next attempt with the key begin at once.
    fn release(&self) -> impl Future<Output = Result<(), StoreError>>;
}

/// Who may order.
pub trait Customers {
    /// Whether this account exists and is active.
    fn is_active(&self, user_id: i64) -> impl Future<Output = Result<bool, Unavailable>>;
}

/// A line that was taken from the stock, with the name and price of that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The line.
    pub line: super::line::Line,
    /// The currency of its price.
    pub currency: String,
}

/// A product of which there is less than was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The product's number.
    pub product_id: i64,
    /// Pieces that were asked for.
    pub wanted: i64,
    /// Pieces that could have been had.
    pub available: i64,
}

/// Why the stock was not taken or settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StockError {
    /// These products do not exist or are archived.
    UnknownProducts(Vec<i64>),
    /// These are short; nothing was taken.
    OutOfStock(Vec<Shortage>),
    /// No reservation has this name.
    NotFound,
    /// The reservation was undone, for good.
    Undone,
    /// Asking again may help.
    Unavailable(Unavailable),
}

/// Where the pieces come from.
pub trait Stock {
    /// Takes all lines or none for `hold_seconds`.
    fn reserve(
        &self,
        reservation_id: &str,
        lines: &[Wanted],
        hold_seconds: u32,
    ) -> impl Future<Output = Result<Vec<Taken>, StockError>>;
    /// The pieces are sold.
    fn commit(&self, reservation_id: &str) -> impl Future<Output = Result<(), StockError>>;
    /// The pieces go back.
    fn undo(&self, reservation_id: &str) -> impl Future<Output = Result<(), StockError>>;
}

#[cfg(test)]
#[path = "ports_fake.rs"]
pub(crate) mod fake;
