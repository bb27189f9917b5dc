//! What the use cases need of the world, for adapters and tests to provide.

use std::future::Future;

use kit::page::Cursor;

use super::notification::{Message, Notification};

/// The database failed.
pub use kit::Failure as StoreError;

/// Which notifications a list shows, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this user.
    pub user_id: Option<i64>,
    /// Only those about this order.
    pub order_id: Option<i64>,
    /// Only those behind this place.
    pub after: Option<Cursor>,
    /// At most so many.
    pub limit: i64,
}

/// Where notifications are kept.
pub trait Notifications {
    /// Keeps a message and remembers the event with it; does nothing where the event is known already.
    fn keep(&self, event_id: &str, message: &Message) -> impl Future<Output = Result<(), StoreError>>;
    /// The notifications that match.
    fn list(&self, filter: &Filter) -> impl Future<Output = Result<Vec<Notification>, StoreError>>;
}
