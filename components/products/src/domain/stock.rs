//! The pieces in the house, and the ledger of how they came and went.

use chrono::{DateTime, Utc};
use kit::{Failure, page::Cursor, text::Text};
use thiserror::Error;
use utoipa::ToSchema;

use super::product::Product;

/// Most pieces that one change may bring or take.
pub const CHANGE_MAX: i64 = 1_000_000;
/// Most pieces up to which more may be brought by hand. What was sold comes back beyond it as well.
pub const ON_HAND_MAX: i64 = 1_000_000_000;

/// A product of which fewer pieces than this can still be ordered is told of, once each time it falls below.
pub const LOW: i64 = 5;
/// The topic that products publish on.
pub const TOPIC: &str = "product-events";
/// The type of the event that tells of a product that runs out.
pub const STOCK_LOW: &str = "STOCK_LOW";

/// The `data` of that event. The statement that changes the stock writes it; this is its form.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
#[schema(as = StockEventData, rename_all = "camelCase")]
pub struct StockLow {
    /// The product's number.
    #[schema(minimum = 1)]
    pub product_id: i64,
    /// What it is called.
    pub name: String,
    /// Pieces that can still be ordered.
    #[schema(minimum = 0)]
    pub stock: i64,
    /// The version of this form.
    #[schema(minimum = 1)]
    pub version: i64,
}

/// A number of pieces to begin with: from none to [`CHANGE_MAX`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pieces(i64);

/// The number is out of bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number from 0 to {CHANGE_MAX}")]
pub struct PiecesError;

impl Pieces {
    /// The number.
    pub fn count(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Pieces {
    type Error = PiecesError;

    fn try_from(count: i64) -> Result<Self, PiecesError> {
        let sound = (0..=CHANGE_MAX).contains(&count);
        sound.then_some(Self(count)).ok_or(PiecesError)
    }
}

/// How many pieces come or go at once; never none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta(i64);

/// The number is out of bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number from -{CHANGE_MAX} to {CHANGE_MAX}, but not 0")]
pub struct DeltaError;

impl Delta {
    /// The number: above 0 they come, below they go.
    pub fn count(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Delta {
    type Error = DeltaError;

    fn try_from(count: i64) -> Result<Self, DeltaError> {
        let sound = count != 0 && (-CHANGE_MAX..=CHANGE_MAX).contains(&count);
        sound.then_some(Self(count)).ok_or(DeltaError)
    }
}

/// Pieces that come or go by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// How many.
    pub delta: Delta,
    /// Why.
    pub reason: Text<1, 200>,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Its number.
    pub id: i64,
    /// Of which product.
    pub product_id: i64,
    /// Above 0 pieces came, below they went.
    pub delta: i64,
    /// Why.
    pub reason: String,
    /// The reservation that caused it, if one did.
    pub reservation: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Why the stock stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StockError {
    /// There is no such product.
    #[error("there is no such product")]
    NotFound,
    /// Fewer pieces would be left than reservations hold.
    #[error("fewer pieces would be left than are reserved")]
    BelowReserved,
    /// There would be more pieces than the shop can count.
    #[error("there would be too many pieces")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// Where the stock is kept.
pub trait Stock: Sync {
    /// Changes the stock and writes the ledger, together, unless the pieces would be more than [`ON_HAND_MAX`]; what is told of it belongs to the trace.
    fn adjust(
        &self,
        product_id: i64,
        adjustment: &Adjustment,
        traceparent: Option<&str>,
    ) -> impl Future<Output = Result<Product, StockError>> + Send;

    /// The ledger of a product, the oldest first, behind `after`, `limit` rows at most; `None` without such a product.
    fn movements(
        &self,
        product_id: i64,
        after: Option<Cursor>,
        limit: i64,
    ) -> impl Future<Output = Result<Option<Vec<Movement>>, Failure>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_bounded_and_never_nothing() {
        assert_eq!(Delta::try_from(-3).map(Delta::count), Ok(-3));
        assert!(Delta::try_from(0).is_err());
        assert!(Delta::try_from(CHANGE_MAX + 1).is_err());
        assert!(Pieces::try_from(0).is_ok());
        assert!(Pieces::try_from(-1).is_err());
    }
}
