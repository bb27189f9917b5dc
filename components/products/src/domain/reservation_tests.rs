use std::{collections::BTreeMap, sync::Mutex};

use super::*;

const ID: &str = "0190a1b2-0000-7000-8000-000000000001";
const OTHER: &str = "0190a1b2-0000-7000-8000-000000000002";

/// One product, number 1, in memory.
pub(super) struct Shelf(Mutex<State>);

struct State {
    on_hand: i64,
    reserved: i64,
    known: BTreeMap<String, (Status, i64)>,
    /// For how many seconds each was last told to last.
    lasting: BTreeMap<String, u32>,
}

impl Shelf {
    /// What the reservations of this status are of, together.
    pub(super) fn pieces(&self, status: Status) -> i64 {
        let state = self.0.lock().unwrap();
        state.known.values().filter(|known| known.0 == status).map(|known| known.1).sum()
    }

    /// Pieces come or go by hand, unless fewer would be left than are reserved; returns how many.
    pub(super) fn adjust(&self, delta: i64) -> i64 {
        let mut state = self.0.lock().unwrap();
        let possible = state.on_hand + delta >= state.reserved;
        state.on_hand += if possible { delta } else { 0 };
        if possible { delta } else { 0 }
    }

    /// The time of a reservation is over, if it is held.
    pub(super) fn lapse_if_held(&self, id: &str) {
        let held = matches!(self.0.lock().unwrap().known.get(id), Some((Status::Held, _)));
        if held {
            self.lapse(id);
        }
    }

    pub(super) fn with(on_hand: i64) -> Self {
        Self(Mutex::new(State { on_hand, reserved: 0, known: BTreeMap::new(), lasting: BTreeMap::new() }))
    }

    pub(super) fn count(&self) -> (i64, i64) {
        let state = self.0.lock().unwrap();
        (state.on_hand, state.reserved)
    }

    fn lasts_s(&self, id: &str) -> u32 {
        self.0.lock().unwrap().lasting[id]
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
    async fn take(&self, id: &str, lines: &[Line], hold_s: u32) -> Result<Attempt, Failure> {
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
            state.lasting.insert(id.to_owned(), hold_s);
        }
        Ok(Attempt { taken, found })
    }

    async fn prolong(&self, id: &str, hold_s: u32) -> Result<bool, Failure> {
        let mut state = self.0.lock().unwrap();
        let is_held = matches!(state.known.get(id), Some((Status::Held, _)));
        if is_held {
            state.lasting.entry(id.to_owned()).and_modify(|lasting| *lasting = hold_s.max(*lasting));
        }
        Ok(is_held)
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
async fn the_same_reservation_again_lasts_as_long_as_a_new_one() {
    let shelf = Shelf::with(3);
    reserve(&shelf, ID, &lamps(2), 60).await.unwrap();
    reserve(&shelf, ID, &lamps(2), 90).await.unwrap();
    assert_eq!(shelf.lasts_s(ID), 90);
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
