//! Relays that end without warning, or in order, in the midst of their work.

use futures::future::join_all;
use plaza_tests::{
    Host,
    hold::Hold,
    invariants,
    shop::{Customer, id_of},
    until,
};

use crate::{Stage, started};

const CUSTOMERS: usize = 4;
const ROUNDS: usize = 3;

/// Of products, orders and payments.
const OUTBOXES: usize = 3;

/// Every customer places two orders, of which one is cancelled and one is to be paid; returns those to be paid.
async fn place(customers: &[Customer], product: i64) -> Vec<(&Customer, i64)> {
    join_all(customers.iter().map(|customer| async move {
        let (given_up, kept) = (customer.order(&[(product, 1)]).await, customer.order(&[(product, 2)]).await);
        customer.client.request("POST", &format!("/api/v1/orders/{}/cancel", id_of(&given_up))).await.expect(200);
        (customer, id_of(&kept))
    }))
    .await
}

/// What an event of an order changes waits behind this, and so does the relay that has posted it. Only events open and end payments here.
const HELD_UP: &str = "LOCK TABLE payments IN EXCLUSIVE MODE";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let stage = Stage::set();
    let product = stage.shop.product("0.50", 500).await;
    let customers = join_all((0..CUSTOMERS).map(|_| stage.shop.customer())).await;
    let mut relay = started(stage.relay()).await;
    for _ in 0..ROUNDS {
        let mut hold = Hold::by(&stage.databases, "payments_database", HELD_UP).await;
        let placed = place(&customers, product).await;
        hold.until_waiting(1).await;
        let setup = relay.kill();
        hold.let_go().await;
        relay = started(setup).await;
        join_all(placed.into_iter().map(|(customer, order)| customer.pay(order))).await;
    }
    invariants::check(&stage.databases).await;
    let paid = stage.databases.number("orders_database", "SELECT count(*) FROM orders WHERE status = 'paid'").await;
    assert_eq!(paid, i64::try_from(ROUNDS * CUSTOMERS).expect("few"));
    assert_eq!(relay.stop().code, Some(0));
}

#[tokio::test]
async fn of_two_relays_one_does_each_thing_and_takes_over_all_when_the_other_is_gone() {
    let stage = Stage::set();
    let (one, other) = tokio::join!(started(stage.relay()), started(stage.relay()));
    let (ada, order) = stage.order().await;
    ada.pay(order).await;
    let outboxes = async |relay: &Host| relay.status().await["relay"]["outboxes"].as_array().map_or(0, Vec::len);
    until("each outbox is relayed by one of them", async || {
        (outboxes(&one).await + outboxes(&other).await == OUTBOXES).then_some(())
    })
    .await;
    one.kill();
    let (ada, order) = stage.order().await;
    ada.pay(order).await;
    until("the other has all of them", async || (outboxes(&other).await == OUTBOXES).then_some(())).await;
    invariants::check(&stage.databases).await;
}

#[tokio::test]
async fn a_relay_that_is_told_to_stop_finishes_what_is_in_hand() {
    let stage = Stage::set();
    let (ada, order) = stage.order().await;
    let ids = stage.databases.rows::<(String,)>("orders_database", "SELECT id::text FROM outbox").await;
    let [(event,)] = ids.as_slice() else { panic!("one event: {ids:?}") };
    // Who takes the event in waits for what this transaction does.
    let taking = format!("INSERT INTO inbox (event_id) VALUES ('{event}')");
    let mut hold = Hold::by(&stage.databases, "payments_database", &taking).await;
    let relay = started(stage.relay()).await;
    hold.until_waiting(1).await;
    relay.terminate();
    relay.stderr().line_with("stopping: taking up nothing more");
    hold.let_go().await;
    let ended = relay.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("did not finish in time"), "{}", ended.stderr);
    assert_eq!(stage.count("published_at IS NOT NULL").await, 1, "it is marked");
    let payments = ada.client.get(&format!("/api/v1/payments?orderId={order}")).await.expect(200).json();
    assert_eq!(payments.as_array().map(Vec::len), Some(1));
}
