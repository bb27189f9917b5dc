use super::*;
use crate::domain::line::Wanted;
use crate::domain::ports::fake::{FakeOrders, block_on};

fn wish(quantity: i64) -> Wish {
    let body_hash = format!("{quantity} cups");
    Wish {
        key: KeyName { user_id: 7, route: "POST /orders", key: "once".to_owned(), body_hash },
        lines: Lines::parse(&[Wanted { product_id: 3, quantity }]).unwrap(),
        expected_total: None,
        currency: "EUR".to_owned(),
        ttl_seconds: 1800,
    }
}

fn render(result: Result<&Order, &Refusal>) -> Answer {
    match result {
        Ok(order) => Answer { status: 201, body: format!("order {} for {}", order.id, order.total) },
        Err(refusal) => Answer { status: 409, body: format!("{refusal:?}") },
    }
}

fn answer(orders: &FakeOrders, wish: &Wish) -> Result<Answered, PlaceError> {
    block_on(place(orders, wish, render))
}

#[test]
fn an_order_takes_the_ids_of_its_key() {
    let orders = FakeOrders::default();
    let answered = answer(&orders, &wish(2)).unwrap();
    assert_eq!(answered.answer, Answer { status: 201, body: "order 42 for 39.98".to_owned() });
    let order = orders.order(42);
    assert_eq!(order.reservation_id, "00000000-0000-0000-0000-000000000042");
    assert_eq!(order.expires_at - order.created_at, Duration::seconds(1800));
    assert_eq!(order.version, 1);
}

#[test]
fn the_same_key_again_makes_no_second_order() {
    let orders = FakeOrders::default();
    let first = answer(&orders, &wish(2)).unwrap();
    let second = answer(&orders, &wish(2)).unwrap();
    assert_eq!(first.answer, second.answer);
    assert!(!first.replayed && second.replayed);
    assert_eq!(orders.count(), 1);
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    let orders = FakeOrders::default();
    answer(&orders, &wish(2)).unwrap();
    assert!(matches!(answer(&orders, &wish(3)), Err(PlaceError::OtherBody)));
}

#[test]
fn a_shortage_is_the_lasting_answer_of_its_key() {
    let orders = FakeOrders::default();
    orders.fail_stock(StockError::OutOfStock(vec![Shortage { product_id: 3, wanted: 2, available: 1 }]));
    let first = answer(&orders, &wish(2)).unwrap();
    orders.mend_stock();
    let second = answer(&orders, &wish(2)).unwrap();
    assert_eq!((first.answer.status, first.answer == second.answer), (409, true));
    assert_eq!(orders.count(), 0);
}

#[test]
fn an_outage_is_not_kept_as_an_answer() {
    let orders = FakeOrders::default();
    orders.fail_stock(StockError::Unavailable(Unavailable { who: "products", why: "asleep".to_owned() }));
    assert!(matches!(answer(&orders, &wish(2)), Err(PlaceError::Unavailable(_))));
    orders.mend_stock();
    assert_eq!(answer(&orders, &wish(2)).unwrap().answer.status, 201);
}

#[test]
fn another_total_than_expected_gives_the_pieces_back() {
    let orders = FakeOrders::default();
    let expected_total = Some(Money::from_minor(1));
    let answered = answer(&orders, &Wish { expected_total, ..wish(2) }).unwrap();
    assert!(answered.answer.body.starts_with("TotalDiffers"));
    assert_eq!((orders.count(), orders.undone()), (0, 1));
}

#[test]
fn prices_in_another_currency_are_refused() {
    let orders = FakeOrders::default();
    let answered = answer(&orders, &Wish { currency: "USD".to_owned(), ..wish(2) }).unwrap();
    assert_eq!((answered.answer.body.as_str(), orders.undone()), ("ForeignCurrency", 1));
}

#[test]
fn a_deactivated_customer_takes_no_stock() {
    let orders = FakeOrders::default();
    orders.deactivate_the_customer();
    assert_eq!(answer(&orders, &wish(2)).unwrap().answer.body, "NotActive");
    assert_eq!(orders.reserved(), 0);
}

#[test]
fn an_attempt_that_lost_its_lease_stores_nothing() {
    let orders = FakeOrders::default();
    orders.take_the_key_over();
    assert!(matches!(answer(&orders, &wish(2)), Err(PlaceError::InFlight)));
    assert_eq!((orders.count(), orders.undone()), (0, 0));
}
