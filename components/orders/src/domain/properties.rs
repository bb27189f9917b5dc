//! What holds for orders whatever happens to them, in whatever order and however often.

use kit::Money;
use proptest::prelude::*;

use super::change::{Actor, Change, ChangeError, Step, change_order};
use super::event::{Paid, PaymentEvent};
use super::expire::expire;
use super::line::{Asked, Line, Lines, MAX_LINES, MAX_QUANTITY, total};
use super::order::{Order, Shipment};
use super::ports::fake::{FakeOrders, an_order, block_on};
use super::ports::{Orders, StockError};
use super::settle::settle;
use super::status::{Reason, Status};

/// Something that happens to order 1.
#[derive(Clone, Debug)]
enum Happening {
    Cancelled(Reason),
    Shipped,
    Delivered,
    /// The news with this number; the same number is the same news again.
    Paid(u8, bool),
    NotPaid(u8),
    DeadlinePassed,
    PiecesGone(bool),
    /// So many changes come second.
    Contended(usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        prop_oneof![Just(Reason::User), Just(Reason::Admin)].prop_map(Happening::Cancelled),
        Just(Happening::Shipped),
        Just(Happening::Delivered),
        (0..4_u8, any::<bool>()).prop_map(|(number, right)| Happening::Paid(number, right)),
        (4..6_u8).prop_map(Happening::NotPaid),
        Just(Happening::DeadlinePassed),
        any::<bool>().prop_map(Happening::PiecesGone),
        (0..3_usize).prop_map(Happening::Contended),
    ]
}

fn change(orders: &FakeOrders, change: &Change) {
    let changed = block_on(change_order(orders, 1, |order| Step::plan(order, change, Actor::Admin(1))));
    assert!(matches!(changed, Ok(_) | Err(ChangeError::Illegal { .. })));
}

fn news(orders: &FakeOrders, number: u8, event: &PaymentEvent) {
    block_on(settle(orders, &format!("news-{number}"), event)).unwrap();
}

fn happen(orders: &FakeOrders, happening: &Happening) {
    match happening {
        Happening::Cancelled(reason) => change(orders, &Change::Cancel(*reason)),
        Happening::Shipped => {
            change(orders, &Change::Ship(Shipment { carrier: "Mule".to_owned(), tracking: "M-17".to_owned() }));
        }
        Happening::Delivered => change(orders, &Change::Deliver),
        Happening::Paid(number, right) => {
            let amount = Money::from_minor(if *right { 3998 } else { 3997 });
            news(orders, *number, &PaymentEvent::Succeeded(Paid { order_id: 1, amount, currency: "EUR".to_owned() }));
        }
        Happening::NotPaid(number) => news(orders, *number, &PaymentEvent::Failed { order_id: 1 }),
        Happening::DeadlinePassed => drop(block_on(expire(orders)).unwrap()),
        Happening::PiecesGone(true) => orders.fail_stock(StockError::OutOfStock(Vec::new())),
        Happening::PiecesGone(false) => orders.mend_stock(),
        Happening::Contended(count) => orders.lose_next_saves(*count),
    }
}

fn sound(order: &Order) {
    assert_eq!(total(&order.lines), Some(order.total));
    assert_eq!(order.status == Status::Cancelled, order.reason.is_some());
    assert_eq!(matches!(order.status, Status::Shipped | Status::Delivered), order.shipment.is_some());
}

/// The sum of what the lines cost, counted in so many bits that nothing overflows; nothing where 64 would not do.
fn exact_total(lines: &[(i64, i64)]) -> Option<i128> {
    let costs = lines.iter().map(|(quantity, price)| i128::from(*quantity) * i128::from(*price));
    costs.into_iter().try_fold(0_i128, |sum, cost| {
        let fits = i64::try_from(cost).is_ok() && i64::try_from(sum + cost).is_ok();
        fits.then_some(sum + cost)
    })
}

fn happenings(most: usize) -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec(happening(), 0..most)
}

proptest! {
    #[test]
    fn whatever_happens_an_order_goes_a_legal_way_one_version_at_a_time(happenings in happenings(30)) {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        let mut before = orders.order(1);
        for happening in &happenings {
            happen(&orders, happening);
            let after = orders.order(1);
            if after.version == before.version {
                prop_assert_eq!(&after, &before);
            } else {
                prop_assert_eq!(after.version, before.version + 1);
                prop_assert!(before.status.may_become(after.status), "{:?} by {:?}", after.status, happening);
            }
            sound(&after);
            let sold = matches!(after.status, Status::Paid | Status::Shipped | Status::Delivered);
            prop_assert!(!sold || orders.committed() > 0, "sold without its pieces");
            before = after;
        }
    }

    #[test]
    fn news_that_was_heard_changes_nothing_when_it_comes_again(happenings in happenings(20), number in 0..6_u8) {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        for happening in &happenings {
            happen(&orders, happening);
        }
        if block_on(orders.has_seen(&format!("news-{number}"))).unwrap() {
            let before = (orders.order(1), orders.committed());
            news(&orders, number, &PaymentEvent::Failed { order_id: 1 });
            prop_assert_eq!((orders.order(1), orders.committed()), before);
        }
    }

    #[test]
    fn lines_are_merged_without_losing_a_piece(asked in prop::collection::vec((-1..12_i64, -1..600_i64), 0..110)) {
        let pieces = |product: i64| asked.iter().filter(|line| line.0 == product).map(|line| line.1).sum::<i64>();
        let line_is_bounded = |line: &(i64, i64)| line.0 >= 1 && line.1 >= 1 && pieces(line.0) <= MAX_QUANTITY;
        let bounded = (1..=MAX_LINES).contains(&asked.len()) && asked.iter().all(line_is_bounded);
        let lines = asked.iter().map(|line| Asked { product_id: Some(line.0), quantity: Some(line.1) });
        match Lines::parse(&lines.collect::<Vec<_>>()) {
            Ok(lines) => {
                prop_assert!(bounded);
                let lines = lines.as_slice();
                prop_assert!(lines.windows(2).all(|pair| pair[0].product_id < pair[1].product_id));
                for line in lines {
                    prop_assert_eq!(line.quantity, pieces(line.product_id));
                }
                let all: i64 = asked.iter().map(|line| line.1).sum();
                prop_assert_eq!(lines.iter().map(|line| line.quantity).sum::<i64>(), all);
            }
            Err(faults) => prop_assert!(!bounded && !faults.is_empty()),
        }
    }

    #[test]
    fn a_total_is_exact_or_there_is_none(
        lines in prop::collection::vec((1..=MAX_QUANTITY, prop_oneof![0..10_000_000_000_i64, any::<i64>()]), 0..100),
    ) {
        let line = |(quantity, price): &(i64, i64)| Line {
            product_id: 1,
            quantity: *quantity,
            name: String::new(),
            price: Money::from_minor(*price),
        };
        let total = total(&lines.iter().map(line).collect::<Vec<_>>());
        prop_assert_eq!(total.map(|total| i128::from(total.minor())), exact_total(&lines));
    }
}
