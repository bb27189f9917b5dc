//! Placing an order: the key first, then the customer, then the stock, then everything else in one statement.

use chrono::{DateTime, Duration, Utc};
use kit::Money;

use super::line::{Lines, total};
use super::order::{Order, now};
use super::ports::{Customers, Placement, Shortage, Stock, StockError, StoreError, Taken, Unavailable};
use super::status::Status;

/// How much longer than the order's own deadline its pieces are held, so that a payment at the last moment finds them.
const HOLD_GRACE_SECONDS: u32 = 15 * 60;

/// What the idempotency key has fixed before anything else happens; every attempt with the key uses the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// The order's number to be.
    pub order_id: i64,
    /// The reservation's name to be, a UUID.
    pub reservation_id: String,
}

/// What a customer wishes for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Whose wish it is.
    pub user_id: i64,
    /// Which products, and how many.
    pub lines: Lines,
    /// The total that the customer was shown, when it was sent along.
    pub expected_total: Option<Money>,
    /// The shop's currency.
    pub currency: String,
    /// How long the order waits for its payment.
    pub ttl_seconds: u32,
}

/// Why an order was not placed: an answer to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The account does not exist or is not active.
    NotActive,
    /// These products do not exist or are archived.
    UnknownProducts(Vec<i64>),
    /// These products are short.
    OutOfStock(Vec<Shortage>),
    /// The prices are not those that the customer was shown.
    TotalDiffers {
        /// What the order costs.
        total: Money,
        /// What the customer was shown.
        expected: Money,
    },
    /// A product is priced in another currency than the shop's.
    ForeignCurrency,
    /// The order costs nothing or more than can be counted.
    TotalOutOfBounds,
    /// The reservation of this key was undone.
    Undone,
}

/// Why there is no answer to keep; the same key may be sent again.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Another attempt took the key over and answers in our place.
    #[error("another attempt has taken this key over")]
    TakenOver,
    /// Users or products cannot answer now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Places the order under the ids of its key, or refuses it; `render` puts either into the words of the answer, which
/// is stored with the deed.
///
/// A crash at any point leaves at most a reservation: the same key takes it up again, or it lapses by itself.
pub async fn place<P: Placement + Customers + Stock>(
    ports: &P,
    wish: &Wish,
    ids: &Ids,
    render: impl Fn(Result<&Order, &Refusal>) -> P::Answer,
) -> Result<P::Answer, PlaceError> {
    match draw_up(ports, wish, ids).await {
        Ok(order) => {
            let answer = render(Ok(&order));
            let stored = ports.place(&order, &answer).await?;
            stored.then_some(answer).ok_or(PlaceError::TakenOver)
        }
        Err(Hindrance::Refused(refusal)) => {
            let answer = render(Err(&refusal));
            if !ports.refuse(&answer).await? {
                return Err(PlaceError::TakenOver);
            }
            give_back(ports, ids, &refusal).await;
            Ok(answer)
        }
        Err(Hindrance::Unavailable(unavailable)) => {
            ports.release().await?;
            Err(unavailable.into())
        }
    }
}

enum Hindrance {
    Refused(Refusal),
    Unavailable(Unavailable),
}

async fn draw_up<P: Customers + Stock>(ports: &P, wish: &Wish, ids: &Ids) -> Result<Order, Hindrance> {
    let active = ports.is_active(wish.user_id).await;
    if !active.map_err(Hindrance::Unavailable)? {
        return Err(Hindrance::Refused(Refusal::NotActive));
    }
    let hold_seconds = wish.ttl_seconds.saturating_add(HOLD_GRACE_SECONDS);
    let taken = ports.reserve(&ids.reservation_id, wish.lines.as_slice(), hold_seconds).await;
    let taken = taken.map_err(hindrance)?;
    order_of(wish, ids, taken, now()).map_err(Hindrance::Refused)
}

/// The order that these pieces make.
fn order_of(wish: &Wish, ids: &Ids, taken: Vec<Taken>, created_at: DateTime<Utc>) -> Result<Order, Refusal> {
    if taken.iter().any(|taken| taken.currency != wish.currency) {
        return Err(Refusal::ForeignCurrency);
    }
    let lines: Vec<_> = taken.into_iter().map(|taken| taken.line).collect();
    let total = total(&lines).filter(|total| *total > Money::ZERO).ok_or(Refusal::TotalOutOfBounds)?;
    if let Some(expected) = wish.expected_total.filter(|expected| *expected != total) {
        return Err(Refusal::TotalDiffers { total, expected });
    }
    Ok(Order {
        id: ids.order_id,
        user_id: wish.user_id,
        reservation_id: ids.reservation_id.clone(),
        lines,
        status: Status::Pending,
        reason: None,
        total,
        currency: wish.currency.clone(),
        version: 1,
        shipment: None,
        created_at,
        updated_at: created_at,
        expires_at: created_at + Duration::seconds(i64::from(wish.ttl_seconds)),
    })
}

fn hindrance(error: StockError) -> Hindrance {
    match error {
        StockError::UnknownProducts(ids) => Hindrance::Refused(Refusal::UnknownProducts(ids)),
        StockError::OutOfStock(shortages) => Hindrance::Refused(Refusal::OutOfStock(shortages)),
        StockError::Undone | StockError::NotFound => Hindrance::Refused(Refusal::Undone),
        StockError::Unavailable(unavailable) => Hindrance::Unavailable(unavailable),
    }
}

/// A refusal after the pieces were taken gives them back; should that fail, they lapse by themselves. It follows the
/// stored refusal, for undoing is final and another attempt might have been using the reservation.
async fn give_back<P: Stock>(ports: &P, ids: &Ids, refusal: &Refusal) {
    let taken = matches!(refusal, Refusal::TotalDiffers { .. } | Refusal::ForeignCurrency | Refusal::TotalOutOfBounds);
    if taken && ports.undo(&ids.reservation_id).await.is_err() {
        eprintln!("warning: reservation {} could not be undone; it lapses by itself", ids.reservation_id);
    }
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
