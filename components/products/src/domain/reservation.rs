//! Taking pieces for an order, and what becomes of them.
//!
//! ```text
//! held ──▶ committed ──▶ undone      committed: the pieces have left the house
//!  │  ▲        ▲            ▲        undone: they are back, for good
//!  ▼  │        │            │
//! lapsed ──────┴────────────┘        lapsed: its time is over; it can be taken anew while there are pieces
//! ```
//! Each step of the store is one conditional change. Where it does not apply, the reservation is read again and the
//! use case decides anew: somebody else was faster.

use std::collections::BTreeSet;

use kit::{Failure, Money};
use thiserror::Error;

/// Lines of one reservation at most.
pub const LINES_MAX: usize = 100;
/// How often a use case decides anew before it gives up. Each time somebody else has moved the reservation on.
const ATTEMPTS_MAX: usize = 5;

/// How many pieces of a product are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The product.
    pub product_id: i64,
    /// Pieces, from 1.
    pub quantity: i64,
}

/// A line as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservedLine {
    /// The product.
    pub product_id: i64,
    /// Pieces.
    pub quantity: i64,
    /// The product's name at that moment.
    pub name: String,
    /// The price of one piece at that moment.
    pub price: Money,
    /// The price's currency.
    pub currency: String,
}

/// A product of which there is less than was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// The product.
    pub product_id: i64,
    /// Pieces that were asked for.
    pub wanted: i64,
    /// Pieces that could have been had.
    pub available: i64,
}

/// What has become of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its pieces are kept for it.
    Held,
    /// Its time is over and the pieces are free again.
    Lapsed,
    /// Its pieces have left the house.
    Committed,
    /// It holds nothing and never will again.
    Undone,
}

/// A reservation as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// What has become of it.
    pub status: Status,
    /// Its lines in the order of the product ids.
    pub lines: Vec<ReservedLine>,
}

/// Why nothing was taken or settled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReservationError {
    /// These products do not exist or are archived.
    #[error("unknown products: {0:?}")]
    UnknownProducts(Vec<i64>),
    /// These products are short.
    #[error("out of stock: {0:?}")]
    OutOfStock(Vec<Shortage>),
    /// No reservation has this name.
    #[error("there is no such reservation")]
    NotFound,
    /// It was undone, which is final.
    #[error("the reservation was undone")]
    Undone,
    /// The request itself is wrong.
    #[error("the request is wrong: {0}")]
    Invalid(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// What taking found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Whether the pieces are held now.
    pub taken: bool,
    /// The products on offer among those asked for, in the order of their ids, each with what was available.
    pub found: Vec<(ReservedLine, i64)>,
}

/// Where reservations are kept. Every operation is atomic, and waits for others that touch the same products.
pub trait Reservations: Sync {
    /// Takes all lines, unless a product is unknown or short, or the reservation stands already. A lapsed one is taken
    /// anew, with the lines that it had.
    fn take(&self, id: &str, lines: &[Line], hold_s: u32) -> impl Future<Output = Result<Attempt, Failure>> + Send;

    /// Lets a held reservation last as long as one that is made now, or longer where it does so already; `false` where it is
    /// not held.
    fn prolong(&self, id: &str, hold_s: u32) -> impl Future<Output = Result<bool, Failure>> + Send;

    /// The reservation as it is now.
    fn find(&self, id: &str) -> impl Future<Output = Result<Option<Reservation>, Failure>> + Send;

    /// Lets the pieces of a held reservation leave the house; `false` where it is not held.
    fn commit_held(&self, id: &str) -> impl Future<Output = Result<bool, Failure>> + Send;

    /// Takes a lapsed reservation anew and lets its pieces leave the house; else what is short, which is nothing where
    /// it is not lapsed.
    fn commit_lapsed(&self, id: &str) -> impl Future<Output = Result<Result<(), Vec<Shortage>>, Failure>> + Send;

    /// Gives back what the reservation holds or took, or remembers an unknown one as undone. `false` where somebody
    /// made it meanwhile, or it was undone before. `event` is the event that demands it, noted together with it.
    fn undo(&self, id: &str, event: Option<&str>) -> impl Future<Output = Result<bool, Failure>> + Send;
}

/// Takes all lines or none. The same reservation again gives the same lines and takes nothing more, but lasts as long as a
/// new one: whoever takes it over has all of the time before them.
pub async fn reserve(
    reservations: &impl Reservations,
    id: &str,
    lines: &[Line],
    hold_s: u32,
) -> Result<Vec<ReservedLine>, ReservationError> {
    check(id, lines)?;
    for _ in 0..ATTEMPTS_MAX {
        let attempt = reservations.take(id, lines, hold_s).await?;
        if attempt.taken {
            return Ok(attempt.found.into_iter().map(|(line, _)| line).collect());
        }
        // Looked at after the attempt: the one that was faster may be this very reservation, sent twice.
        match reservations.find(id).await? {
            Some(found) if found.status == Status::Committed => return Ok(found.lines),
            Some(found) if found.status == Status::Held => {
                if reservations.prolong(id, hold_s).await? {
                    return Ok(found.lines);
                }
            }
            Some(found) if found.status == Status::Undone => return Err(ReservationError::Undone),
            Some(found) if !has_lines(&found, lines) => {
                return Err(ReservationError::Invalid("the reservation has other lines"));
            }
            _ => refused(lines, &attempt)?,
        }
    }
    Err(gave_up())
}

/// Lets the pieces leave the house, once.
pub async fn commit(reservations: &impl Reservations, id: &str) -> Result<(), ReservationError> {
    check_id(id)?;
    for _ in 0..ATTEMPTS_MAX {
        if reservations.commit_held(id).await? {
            return Ok(());
        }
        let found = reservations.find(id).await?;
        match found.ok_or(ReservationError::NotFound)?.status {
            Status::Committed => return Ok(()),
            Status::Undone => return Err(ReservationError::Undone),
            Status::Held => {}
            Status::Lapsed => match reservations.commit_lapsed(id).await? {
                Ok(()) => return Ok(()),
                Err(short) if !short.is_empty() => {
                    return Err(ReservationError::OutOfStock(short));
                }
                Err(_) => {}
            },
        }
    }
    Err(gave_up())
}

/// Gives the pieces back, once and for good.
pub async fn undo(reservations: &impl Reservations, id: &str, event: Option<&str>) -> Result<(), ReservationError> {
    check_id(id)?;
    for _ in 0..ATTEMPTS_MAX {
        if reservations.undo(id, event).await? {
            return Ok(());
        }
        let found = reservations.find(id).await?;
        if found.is_some_and(|found| found.status == Status::Undone) {
            return Ok(());
        }
    }
    Err(gave_up())
}

/// Whether the reservation was made for these lines. They stay the same for as long as it is known.
fn has_lines(reservation: &Reservation, lines: &[Line]) -> bool {
    let stored: BTreeSet<(i64, i64)> = reservation.lines.iter().map(|line| (line.product_id, line.quantity)).collect();
    let wanted = lines.iter().map(|line| (line.product_id, line.quantity));
    stored == wanted.collect()
}

/// Why the attempt took nothing, if it is for want of products or pieces.
fn refused(lines: &[Line], attempt: &Attempt) -> Result<(), ReservationError> {
    let known: BTreeSet<i64> = attempt.found.iter().map(|(line, _)| line.product_id).collect();
    let wanted: BTreeSet<i64> = lines.iter().map(|line| line.product_id).collect();
    let unknown: Vec<i64> = wanted.difference(&known).copied().collect();
    if !unknown.is_empty() {
        return Err(ReservationError::UnknownProducts(unknown));
    }
    let short: Vec<Shortage> = attempt
        .found
        .iter()
        .filter(|(line, available)| *available < line.quantity)
        .map(|(line, available)| Shortage { product_id: line.product_id, wanted: line.quantity, available: *available })
        .collect();
    if short.is_empty() {
        return Ok(());
    }
    Err(ReservationError::OutOfStock(short))
}

fn check(id: &str, lines: &[Line]) -> Result<(), ReservationError> {
    check_id(id)?;
    let products: BTreeSet<i64> = lines.iter().map(|line| line.product_id).collect();
    if lines.is_empty() || lines.len() > LINES_MAX {
        return Err(ReservationError::Invalid("there must be 1 to 100 lines"));
    }
    if products.len() != lines.len() {
        return Err(ReservationError::Invalid("each product may stand in one line only"));
    }
    if lines.iter().any(|line| line.quantity < 1) {
        return Err(ReservationError::Invalid("quantities start at 1"));
    }
    Ok(())
}

/// `8-4-4-4-12` hexadecimal digits (RFC 9562).
fn check_id(id: &str) -> Result<(), ReservationError> {
    let groups: Vec<&str> = id.split('-').collect();
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let digits = groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()));
    if sizes != [8, 4, 4, 4, 12] || !digits {
        return Err(ReservationError::Invalid("a reservation's name is a UUID"));
    }
    Ok(())
}

fn gave_up() -> ReservationError {
    Failure::temporary("the reservation keeps changing").into()
}

#[cfg(test)]
#[path = "reservation_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "reservation_properties.rs"]
mod properties;
