use proptest::prelude::*;

use super::{tests::Shelf, *};

/// Something that happens to the shelf and to one of a few reservations.
#[derive(Clone, Debug)]
enum Happening {
    Reserved(u8, i64),
    Committed(u8),
    Undone(u8),
    Lapsed(u8),
    Adjusted(i64),
}

fn happening() -> impl Strategy<Value = Happening> {
    let reservation = || 0..5_u8;
    prop_oneof![
        4 => (reservation(), 0..5_i64).prop_map(|(id, pieces)| Happening::Reserved(id, pieces)),
        3 => reservation().prop_map(Happening::Committed),
        2 => reservation().prop_map(Happening::Undone),
        2 => reservation().prop_map(Happening::Lapsed),
        2 => (-6..6_i64).prop_map(Happening::Adjusted),
    ]
}

fn name(id: u8) -> String {
    format!("0190a1b2-0000-7000-8000-{id:012}")
}

async fn happen(shelf: &Shelf, happening: &Happening) -> i64 {
    match happening {
        Happening::Reserved(id, quantity) => {
            let lines = [Line { product_id: 1, quantity: *quantity }];
            let before = shelf.count().1;
            if let Ok(taken) = reserve(shelf, &name(*id), &lines, 60).await {
                let took = shelf.count().1 - before;
                assert!(took == 0 || took == taken[0].quantity, "all of it, or nothing more");
            }
        }
        Happening::Committed(id) => drop(commit(shelf, &name(*id)).await),
        Happening::Undone(id) => undo(shelf, &name(*id), None).await.unwrap(),
        Happening::Lapsed(id) => shelf.lapse_if_held(&name(*id)),
        Happening::Adjusted(delta) => return shelf.adjust(*delta),
    }
    0
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn whatever_happens_no_piece_is_lost_or_promised_twice(
        stock in 0..10_i64,
        happenings in prop::collection::vec(happening(), 0..40),
    ) {
        let (shelf, mut brought) = (Shelf::with(stock), stock);
        for happening in &happenings {
            brought += run(happen(&shelf, happening));
            let (on_hand, reserved) = shelf.count();
            prop_assert!(0 <= reserved && reserved <= on_hand, "{} of {} after {:?}", reserved, on_hand, happening);
            prop_assert_eq!(reserved, shelf.pieces(Status::Held));
            prop_assert_eq!(on_hand, brought - shelf.pieces(Status::Committed));
        }
    }

    #[test]
    fn what_was_undone_holds_nothing_ever_again(happenings in prop::collection::vec(happening(), 0..40), id in 0..5_u8) {
        let shelf = Shelf::with(10);
        let mut undone = false;
        for happening in &happenings {
            run(happen(&shelf, happening));
            undone |= matches!(happening, Happening::Undone(of) if *of == id);
            if undone {
                let found = run(shelf.find(&name(id))).unwrap();
                prop_assert_eq!(found.map(|found| found.status), Some(Status::Undone));
            }
        }
    }
}
