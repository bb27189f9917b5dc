//! An order, from the moment it is placed.

use chrono::{DateTime, Duration, DurationRound, Utc};
use kit::Money;

use super::line::Line;
use super::status::{Reason, Status};

/// What somebody bought, at the prices of that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The order's number, from 1.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// The name under which `products` holds its pieces, a UUID.
    pub reservation_id: String,
    /// Its lines, by product number.
    pub lines: Vec<Line>,
    /// Where it stands.
    pub status: Status,
    /// Why it was cancelled, when it was.
    pub reason: Option<Reason>,
    /// Σ quantity × price, in `currency`.
    pub total: Money,
    /// ISO 4217 code.
    pub currency: String,
    /// 1 when placed, one more with every change.
    pub version: i64,
    /// How it was shipped, once it was.
    pub shipment: Option<Shipment>,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it is cancelled if nobody has paid by then.
    pub expires_at: DateTime<Utc>,
}

/// How an order is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// Who carries it.
    pub carrier: String,
    /// The carrier's number for it.
    pub tracking: String,
}

/// One line of an order's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The version that this made.
    pub version: i64,
    /// Where the order stood from then on.
    pub status: Status,
    /// Why, when it was cancelled.
    pub reason: Option<Reason>,
    /// Who did it: `user:7`, `admin:1`, `payments`, `clock`.
    pub actor: String,
    /// When.
    pub changed_at: DateTime<Utc>,
}

impl Order {
    /// Whether this payment is the one that the order waits for.
    pub fn costs(&self, amount: Money, currency: &str) -> bool {
        self.total == amount && self.currency == currency
    }
}

/// The time to the microsecond, which is what the database keeps: what is answered now reads the same later.
pub fn now() -> DateTime<Utc> {
    let now = Utc::now();
    now.duration_trunc(Duration::microseconds(1)).unwrap_or(now)
}
