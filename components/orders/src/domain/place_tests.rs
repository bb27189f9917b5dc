use super::*;
use crate::domain::line::Asked;
use crate::domain::ports::fake::{FakeOrders, block_on};

fn wish(quantity: i64) -> Wish {
    Wish {
        user_id: 7,
        lines: Lines::parse(&[Asked { product_id: Some(3), quantity: Some(quantity) }]).unwrap(),
        expected_total: None,
        currency: "EUR".to_owned(),
        ttl_seconds: 1800,
    }
}

fn ids() -> Ids {
    Ids { order_id: 42, reservation_id: "00000000-0000-0000-0000-000000000042".to_owned() }
}

fn render(result: Result<&Order, &Refusal>) -> String {
    match result {
        Ok(order) => format!("order {} for {}", order.id, order.total),
        Err(refusal) => format!("{refusal:?}"),
    }
}

fn answer(orders: &FakeOrders, wish: &Wish) -> Result<String, PlaceError> {
    block_on(place(orders, wish, &ids(), render))
}

#[test]
fn an_order_takes_the_ids_of_its_key() {
    let orders = FakeOrders::default();
    assert_eq!(answer(&orders, &wish(2)).unwrap(), "order 42 for 39.98");
    assert_eq!(orders.answer().unwrap(), "order 42 for 39.98");
    let order = orders.order(42);
    assert_eq!(order.reservation_id, ids().reservation_id);
    assert_eq!(order.expires_at - order.created_at, Duration::seconds(1800));
    assert_eq!((order.version, order.status), (1, Status::Pending));
}

#[test]
fn an_attempt_after_a_crash_takes_the_same_reservation_up() {
    let orders = FakeOrders::default();
    block_on(orders.reserve(&ids().reservation_id, wish(2).lines.as_slice(), 60)).unwrap();
    answer(&orders, &wish(2)).unwrap();
    assert_eq!((orders.reserved(), orders.count()), (1, 1));
}

#[test]
fn a_shortage_is_the_lasting_answer_of_its_key() {
    let orders = FakeOrders::default();
    orders.fail_stock(StockError::OutOfStock(vec![Shortage { product_id: 3, wanted: 2, available: 1 }]));
    let said = answer(&orders, &wish(2)).unwrap();
    assert!(said.starts_with("OutOfStock"));
    assert_eq!((orders.answer(), orders.count()), (Some(said), 0));
}

#[test]
fn an_outage_is_not_kept_as_an_answer() {
    let orders = FakeOrders::default();
    orders.fail_stock(StockError::Unavailable(Unavailable { who: "products", why: "asleep".to_owned() }));
    assert!(matches!(answer(&orders, &wish(2)), Err(PlaceError::Unavailable(_))));
    assert!(orders.is_released());
    orders.mend_stock();
    assert_eq!(answer(&orders, &wish(2)).unwrap(), "order 42 for 39.98");
}

#[test]
fn another_total_than_expected_gives_the_pieces_back() {
    let orders = FakeOrders::default();
    let expected_total = Some(Money::from_minor(1));
    let said = answer(&orders, &Wish { expected_total, ..wish(2) }).unwrap();
    assert!(said.starts_with("TotalDiffers"));
    assert_eq!((orders.count(), orders.undone()), (0, 1));
}

#[test]
fn prices_in_another_currency_are_refused() {
    let orders = FakeOrders::default();
    let said = answer(&orders, &Wish { currency: "USD".to_owned(), ..wish(2) }).unwrap();
    assert_eq!((said.as_str(), orders.undone()), ("ForeignCurrency", 1));
}

#[test]
fn a_deactivated_customer_takes_no_stock() {
    let orders = FakeOrders::default();
    orders.deactivate_the_customer();
    assert_eq!(answer(&orders, &wish(2)).unwrap(), "NotActive");
    assert_eq!(orders.reserved(), 0);
}

#[test]
fn an_attempt_that_lost_its_key_stores_and_undoes_nothing() {
    let orders = FakeOrders::default();
    orders.take_the_key_over();
    assert!(matches!(answer(&orders, &wish(2)), Err(PlaceError::TakenOver)));
    let expected_total = Some(Money::from_minor(1));
    let refused = answer(&orders, &Wish { expected_total, ..wish(2) });
    assert!(matches!(refused, Err(PlaceError::TakenOver)));
    assert_eq!((orders.count(), orders.undone()), (0, 0));
}
