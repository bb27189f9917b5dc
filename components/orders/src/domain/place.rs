//! Placing an order: the key first, then the customer, then the stock, then everything else in one statement.

use chrono::{DateTime, Duration, DurationRound, Utc};
use kit::Money;

use super::line::{Lines, total};
use super::order::Order;
use super::ports::{Customers, Keys, Shortage, Stock, StockError, StoreError, Taken, Unavailable};
use super::status::Status;

/// How much longer than the order's own deadline its pieces are held, so that a payment at the last moment finds them.
const HOLD_GRACE_SECONDS: u32 = 15 * 60;

/// An idempotency key and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName {
    /// Whose key it is.
    pub user_id: i64,
    /// What it was sent to: `POST /orders`.
    pub route: &'static str,
    /// The key itself.
    pub key: String,
    /// Hash of the body that came with it.
    pub body_hash: String,
}

/// Who has a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This attempt, until its lease ends.
    Mine(Claimed),
    /// Nobody any more: this was the answer.
    Answered(Answer),
    /// Another attempt that is still at work.
    InFlight,
    /// It came with another body before.
    OtherBody,
}

/// A key that this attempt holds, and the ids that every attempt of it uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The key.
    pub name: KeyName,
    /// Which attempt this is; only the latest one may store anything.
    pub attempt: i64,
    /// The order's number to be.
    pub order_id: i64,
    /// The reservation's name to be, a UUID.
    pub reservation_id: String,
}

/// An answer as it is stored with its key, to be repeated word for word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: String,
}

/// What a customer wishes for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The key it came with.
    pub key: KeyName,
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

/// The answer to a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What to say.
    pub answer: Answer,
    /// Whether it was said before.
    pub replayed: bool,
}

/// Why there is no answer to keep; the same key may be sent again.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Another attempt with this key is at work.
    #[error("a request with this key is still at work")]
    InFlight,
    /// The key came with another body before.
    #[error("this key came with another body before")]
    OtherBody,
    /// Users or products cannot answer now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Places the order, or repeats what the key was answered. `render` puts a result into the words of the answer.
///
/// A crash at any point leaves at most a reservation: the same key takes it up again, or it lapses by itself.
pub async fn place<P: Keys + Customers + Stock>(
    ports: &P,
    wish: &Wish,
    render: impl Fn(Result<&Order, &Refusal>) -> Answer,
) -> Result<Answered, PlaceError> {
    let claimed = match ports.claim(&wish.key).await? {
        Claim::Mine(claimed) => claimed,
        Claim::Answered(answer) => return Ok(Answered { answer, replayed: true }),
        Claim::InFlight => return Err(PlaceError::InFlight),
        Claim::OtherBody => return Err(PlaceError::OtherBody),
    };
    let (answer, stored) = match draw_up(ports, wish, &claimed).await {
        Ok(order) => {
            let answer = render(Ok(&order));
            let stored = ports.place(&claimed, &order, &answer).await?;
            (answer, stored)
        }
        Err(Hindrance::Refused(refusal)) => {
            let answer = render(Err(&refusal));
            let stored = ports.refuse(&claimed, &answer).await?;
            give_back(ports, &claimed, &refusal, stored).await;
            (answer, stored)
        }
        Err(Hindrance::Unavailable(unavailable)) => {
            ports.release(&claimed).await?;
            return Err(unavailable.into());
        }
    };
    // Whoever took the key over answers in our place.
    if stored { Ok(Answered { answer, replayed: false }) } else { Err(PlaceError::InFlight) }
}

enum Hindrance {
    Refused(Refusal),
    Unavailable(Unavailable),
}

async fn draw_up<P: Customers + Stock>(ports: &P, wish: &Wish, claimed: &Claimed) -> Result<Order, Hindrance> {
    let active = ports.is_active(wish.key.user_id).await;
    if !active.map_err(Hindrance::Unavailable)? {
        return Err(Hindrance::Refused(Refusal::NotActive));
    }
    let hold_seconds = wish.ttl_seconds.saturating_add(HOLD_GRACE_SECONDS);
    let taken = ports.reserve(&claimed.reservation_id, wish.lines.as_slice(), hold_seconds).await;
    let taken = taken.map_err(hindrance)?;
    order_of(wish, claimed, taken, Utc::now()).map_err(Hindrance::Refused)
}

/// The order that these pieces make.
fn order_of(wish: &Wish, claimed: &Claimed, taken: Vec<Taken>, now: DateTime<Utc>) -> Result<Order, Refusal> {
    if taken.iter().any(|taken| taken.currency != wish.currency) {
        return Err(Refusal::ForeignCurrency);
    }
    let lines: Vec<_> = taken.into_iter().map(|taken| taken.line).collect();
    let total = total(&lines).filter(|total| *total > Money::ZERO).ok_or(Refusal::TotalOutOfBounds)?;
    if let Some(expected) = wish.expected_total.filter(|expected| *expected != total) {
        return Err(Refusal::TotalDiffers { total, expected });
    }
    // The database keeps microseconds; the answer must not show more than will be read back.
    let created_at = now.duration_trunc(Duration::microseconds(1)).unwrap_or(now);
    Ok(Order {
        id: claimed.order_id,
        user_id: wish.key.user_id,
        reservation_id: claimed.reservation_id.clone(),
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

/// A refusal after the pieces were taken gives them back; should that fail, they lapse by themselves. Only once the
/// refusal is stored: an undone reservation is final, and another attempt may be using it.
async fn give_back<P: Stock>(ports: &P, claimed: &Claimed, refusal: &Refusal, stored: bool) {
    let taken = matches!(refusal, Refusal::TotalDiffers { .. } | Refusal::ForeignCurrency | Refusal::TotalOutOfBounds);
    if stored && taken && ports.undo(&claimed.reservation_id).await.is_err() {
        eprintln!("reservation {} could not be undone; it lapses by itself", claimed.reservation_id);
    }
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
