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

/// Takes all lines or none. The same reservation again gives the same lines and takes nothing more.
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
            Some(found) if matches!(found.status, Status::Held | Status::Committed) => {
                return Ok(found.lines);
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
mod tests {
    use std::{collections::BTreeMap, sync::Mutex};

    use super::*;

    const ID: &str = "0190a1b2-0000-7000-8000-000000000001";
    const OTHER: &str = "0190a1b2-0000-7000-8000-000000000002";

    /// One product, number 1, in memory.
    struct Shelf(Mutex<State>);

    struct State {
        on_hand: i64,
        reserved: i64,
        known: BTreeMap<String, (Status, i64)>,
    }

    impl Shelf {
        fn with(on_hand: i64) -> Self {
            Self(Mutex::new(State { on_hand, reserved: 0, known: BTreeMap::new() }))
        }

        fn count(&self) -> (i64, i64) {
            let state = self.0.lock().unwrap();
            (state.on_hand, state.reserved)
        }

        fn lapse(&self, id: &str) {
            let mut state = self.0.lock().unwrap();
            let (status, quantity) = state.known[id];
            assert_eq!(status, Status::Held);
            state.reserved -= quantity;
            state.known.insert(id.to_owned(), (Status::Lapsed, quantity));
        }
    }

    fn reserved(quantity: i64) -> ReservedLine {
        ReservedLine {
            product_id: 1,
            quantity,
            name: "Lamp".to_owned(),
            price: Money::from_minor(1999),
            currency: "EUR".to_owned(),
        }
    }

    impl Reservations for Shelf {
        async fn take(&self, id: &str, lines: &[Line], _hold_s: u32) -> Result<Attempt, Failure> {
            let mut state = self.0.lock().unwrap();
            let available = state.on_hand - state.reserved;
            let wanted = lines.iter().filter(|line| line.product_id == 1);
            let found: Vec<_> = wanted.map(|line| (reserved(line.quantity), available)).collect();
            let enough = found.iter().all(|(line, available)| *available >= line.quantity);
            let again = |(status, quantity): &(Status, i64)| {
                *status == Status::Lapsed && lines.iter().all(|line| line.quantity == *quantity)
            };
            let free = state.known.get(id).is_none_or(again);
            let taken = found.len() == lines.len() && enough && free;
            if taken {
                let quantity = found[0].0.quantity;
                state.reserved += quantity;
                state.known.insert(id.to_owned(), (Status::Held, quantity));
            }
            Ok(Attempt { taken, found })
        }

        async fn find(&self, id: &str) -> Result<Option<Reservation>, Failure> {
            let state = self.0.lock().unwrap();
            let found = state
                .known
                .get(id)
                .map(|(status, quantity)| Reservation { status: *status, lines: vec![reserved(*quantity)] });
            Ok(found)
        }

        async fn commit_held(&self, id: &str) -> Result<bool, Failure> {
            let mut state = self.0.lock().unwrap();
            let Some((Status::Held, quantity)) = state.known.get(id).copied() else {
                return Ok(false);
            };
            state.on_hand -= quantity;
            state.reserved -= quantity;
            state.known.insert(id.to_owned(), (Status::Committed, quantity));
            Ok(true)
        }

        async fn commit_lapsed(&self, id: &str) -> Result<Result<(), Vec<Shortage>>, Failure> {
            let mut state = self.0.lock().unwrap();
            let (_, quantity) = state.known[id];
            let available = state.on_hand - state.reserved;
            if available < quantity {
                let (product_id, wanted) = (1, quantity);
                return Ok(Err(vec![Shortage { product_id, wanted, available }]));
            }
            state.on_hand -= quantity;
            state.known.insert(id.to_owned(), (Status::Committed, quantity));
            Ok(Ok(()))
        }

        async fn undo(&self, id: &str, _event: Option<&str>) -> Result<bool, Failure> {
            let mut state = self.0.lock().unwrap();
            let (status, quantity) = state.known.get(id).copied().unwrap_or((Status::Lapsed, 0));
            match status {
                Status::Held => state.reserved -= quantity,
                Status::Committed => state.on_hand += quantity,
                Status::Lapsed => {}
                Status::Undone => return Ok(false),
            }
            state.known.insert(id.to_owned(), (Status::Undone, quantity));
            Ok(true)
        }
    }

    fn lamps(quantity: i64) -> [Line; 1] {
        [Line { product_id: 1, quantity }]
    }

    #[tokio::test]
    async fn the_same_reservation_again_takes_nothing_more() {
        let shelf = Shelf::with(3);
        let first = reserve(&shelf, ID, &lamps(2), 60).await.unwrap();
        let again = reserve(&shelf, ID, &lamps(2), 60).await.unwrap();
        assert_eq!(first, again);
        assert_eq!(shelf.count(), (3, 2));
    }

    #[tokio::test]
    async fn a_shortage_says_what_could_have_been_had() {
        let shelf = Shelf::with(3);
        reserve(&shelf, ID, &lamps(2), 60).await.unwrap();
        let short = reserve(&shelf, OTHER, &lamps(2), 60).await;
        let (product_id, wanted, available) = (1, 2, 1);
        let expected = vec![Shortage { product_id, wanted, available }];
        assert_eq!(short, Err(ReservationError::OutOfStock(expected)));
        assert_eq!(shelf.count(), (3, 2));
    }

    #[tokio::test]
    async fn unknown_products_are_named() {
        let shelf = Shelf::with(3);
        let lines = [lamps(1)[0], Line { product_id: 9, quantity: 1 }];
        let refused = reserve(&shelf, ID, &lines, 60).await;
        assert_eq!(refused, Err(ReservationError::UnknownProducts(vec![9])));
    }

    #[tokio::test]
    async fn a_commit_has_its_effect_once() {
        let shelf = Shelf::with(3);
        reserve(&shelf, ID, &lamps(2), 60).await.unwrap();
        for _ in 0..2 {
            assert_eq!(commit(&shelf, ID).await, Ok(()));
            assert_eq!(shelf.count(), (1, 0));
        }
        assert_eq!(commit(&shelf, OTHER).await, Err(ReservationError::NotFound));
    }

    #[tokio::test]
    async fn a_lapsed_reservation_is_taken_anew_while_there_are_pieces() {
        let shelf = Shelf::with(2);
        reserve(&shelf, ID, &lamps(2), 60).await.unwrap();
        shelf.lapse(ID);
        reserve(&shelf, OTHER, &lamps(1), 60).await.unwrap();
        let late = commit(&shelf, ID).await;
        assert!(matches!(late, Err(ReservationError::OutOfStock(_))));
        undo(&shelf, OTHER, None).await.unwrap();
        assert_eq!(commit(&shelf, ID).await, Ok(()));
        assert_eq!(shelf.count(), (0, 0));
    }

    #[tokio::test]
    async fn a_lapsed_reservation_keeps_its_lines() {
        let shelf = Shelf::with(3);
        reserve(&shelf, ID, &lamps(2), 60).await.unwrap();
        shelf.lapse(ID);
        let other = reserve(&shelf, ID, &lamps(1), 60).await;
        assert!(matches!(other, Err(ReservationError::Invalid(_))));
        assert!(reserve(&shelf, ID, &lamps(2), 60).await.is_ok());
        assert_eq!(shelf.count(), (3, 2));
    }

    #[tokio::test]
    async fn undoing_gives_back_once_whatever_came_before() {
        let shelf = Shelf::with(3);
        reserve(&shelf, ID, &lamps(1), 60).await.unwrap();
        reserve(&shelf, OTHER, &lamps(1), 60).await.unwrap();
        commit(&shelf, OTHER).await.unwrap();
        for _ in 0..2 {
            undo(&shelf, ID, None).await.unwrap();
            undo(&shelf, OTHER, None).await.unwrap();
            assert_eq!(shelf.count(), (3, 0));
        }
        assert_eq!(commit(&shelf, ID).await, Err(ReservationError::Undone));
    }

    #[tokio::test]
    async fn an_unknown_reservation_is_remembered_as_undone() {
        let shelf = Shelf::with(3);
        undo(&shelf, ID, None).await.unwrap();
        let late = reserve(&shelf, ID, &lamps(1), 60).await;
        assert_eq!(late, Err(ReservationError::Undone));
    }

    #[tokio::test]
    async fn wrong_requests_are_told_so() {
        let shelf = Shelf::with(3);
        let twice = [lamps(1)[0], lamps(2)[0]];
        for lines in [&[][..], &lamps(0), &twice] {
            let refused = reserve(&shelf, ID, lines, 60).await;
            assert!(matches!(refused, Err(ReservationError::Invalid(_))));
        }
        let refused = commit(&shelf, "17").await;
        assert!(matches!(refused, Err(ReservationError::Invalid(_))));
    }
}
