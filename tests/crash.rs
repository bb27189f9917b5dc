//! The host, or its database server, is killed while customers order, pay and cancel: whatever the moment, no piece and no
//! cent is lost or doubled.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use plaza_tests::{
    Shop,
    databases::Databases,
    invariants::{SETTLING, check},
    patient::Patient,
    shop::{Customer, fresh_key, id_of, order_body},
    state::signal,
    until, until_within,
};
use serde_json::json;

const CUSTOMERS: usize = 6;
const ORDERS_EACH: usize = 12;
const KILLS: usize = 3;

/// What customers may be told while the host is down or coming up, beside nothing at all.
const WHILE_THE_HOST_IS_KILLED: &[u16] = &[409, 500, 503, 504];

/// What they may be told while the host stands and its database is away: never that something is broken.
const WHILE_THE_DATABASE_IS_KILLED: &[u16] = &[409, 503, 504];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_invariant_holds_after_the_host_was_killed_during_orders() {
    let mut shop = Shop::start();
    let products = [shop.product("19.99", 500).await, shop.product("0.01", 500).await];
    let customers = join_all((0..CUSTOMERS).map(|_| shop.customer())).await;
    let steps = &AtomicUsize::new(0);

    let patient = |customer| shop_on_regardless(customer, &products, steps, WHILE_THE_HOST_IS_KILLED);
    let shoppers = join_all(customers.iter().map(patient));
    let killer = async {
        for round in 1..=KILLS {
            due(round, steps).await;
            shop = tokio::task::block_in_place(|| shop.killed_and_started_again());
        }
        shop
    };
    let (_, shop) = tokio::join!(shoppers, killer);

    check_books(&shop).await;
    shop.host.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_invariant_holds_after_the_database_was_killed_during_orders() {
    let shop = Shop::start();
    let products = [shop.product("19.99", 500).await, shop.product("0.01", 500).await];
    let customers = join_all((0..CUSTOMERS).map(|_| shop.customer())).await;
    let steps = &AtomicUsize::new(0);

    let patient = |customer| shop_on_regardless(customer, &products, steps, WHILE_THE_DATABASE_IS_KILLED);
    let shoppers = join_all(customers.iter().map(patient));
    let killer = async {
        for round in 1..=KILLS {
            due(round, steps).await;
            let server = shop.host.setup().state().postmaster().expect("the database runs");
            signal("-KILL", server);
            until("the database serves again", async || {
                (shop.host.stderr().text().matches("PostgreSQL serves again").count() == round).then_some(())
            })
            .await;
        }
    };
    tokio::join!(shoppers, killer);

    check_books(&shop).await;
    let ended = shop.host.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// Waits until so much has happened that it is time for this kill.
async fn due(round: usize, steps: &AtomicUsize) {
    let due = round * CUSTOMERS * ORDERS_EACH / (KILLS + 1);
    // A step may wait for a lease that an earlier kill has left behind.
    let enough = async || (steps.load(Ordering::Relaxed) >= due).then_some(());
    until_within(SETTLING, "enough has happened to be interrupted", enough).await;
}

/// Once everything has settled: is every order there once, and do stock and money agree with them?
async fn check_books(shop: &Shop) {
    let databases = Databases::of(&shop.host);
    check(&databases).await;
    let count = async |condition: &str| {
        databases.number("orders_database", &format!("SELECT count(*) FROM orders WHERE {condition}")).await
    };
    assert_eq!(count("true").await, (CUSTOMERS * ORDERS_EACH) as i64, "each key made one order");
    assert!(count("status = 'paid'").await > 0 && count("status = 'cancelled'").await > 0);
}

/// Places orders, pays every other one and cancels every third, asking again under the same key whenever no answer comes.
async fn shop_on_regardless(customer: &Customer, products: &[i64; 2], steps: &AtomicUsize, passing: &[u16]) {
    let client = &Patient { client: &customer.client, passing };
    for number in 0..ORDERS_EACH {
        let (body, key) = (order_body(&[(products[0], 1), (products[1], 2)]), fresh_key());
        let order = client.persist(|client| client.post("/api/v1/orders", &body).key(&key), &[201]).await.json();
        let order = id_of(&order);
        steps.fetch_add(1, Ordering::Relaxed);
        if number % 2 == 0 {
            let list = format!("/api/v1/payments?orderId={order}");
            // What a kill interrupted may hold its place for as long as a call may take.
            let payment = until_within(SETTLING, &format!("order {order} has a payment"), async || {
                client.persist(|client| client.get(&list), &[200]).await.json().get(0).map(id_of)
            })
            .await;
            let (path, key) = (format!("/api/v1/payments/{payment}/confirm"), fresh_key());
            let token = json!({"token": "tok_ok"});
            client.persist(|client| client.post(&path, &token).key(&key), &[200, 202, 409]).await;
        }
        if number % 3 == 0 {
            let path = format!("/api/v1/orders/{order}/cancel");
            client.persist(|client| client.request("POST", &path), &[200, 409]).await;
        }
    }
}
