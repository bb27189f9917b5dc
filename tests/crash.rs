//! The host is killed while customers order, pay and cancel, and started again: whatever the moment, no piece and no
//! cent is lost or doubled.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::future::join_all;
use plaza_tests::{
    Answer, Client, Shop,
    client::Call,
    databases::Databases,
    invariants::Books,
    shop::{Customer, fresh_key, id_of, order_body},
    until,
};
use serde_json::json;

const CUSTOMERS: usize = 6;
const ORDERS_EACH: usize = 12;
const KILLS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_invariant_holds_after_the_host_was_killed_during_orders() {
    let mut shop = Shop::start();
    let products = [shop.product("19.99", 500).await, shop.product("0.01", 500).await];
    let customers = join_all((0..CUSTOMERS).map(|_| shop.customer())).await;
    let steps = &AtomicUsize::new(0);

    let shoppers = join_all(customers.iter().map(|customer| shop_on_regardless(customer, &products, steps)));
    let killer = async {
        for round in 1..=KILLS {
            let due = round * CUSTOMERS * ORDERS_EACH / (KILLS + 1);
            until("enough has happened to be interrupted", async || {
                (steps.load(Ordering::Relaxed) >= due).then_some(())
            })
            .await;
            shop = tokio::task::block_in_place(|| shop.killed_and_started_again());
        }
        shop
    };
    let (_, shop) = tokio::join!(shoppers, killer);

    let books = Books::settled(Databases::of(&shop.host)).await;
    books.check().await;
    let all: usize = ["pending", "paid", "cancelled"].iter().map(|status| books.count(status)).sum();
    assert_eq!(all, CUSTOMERS * ORDERS_EACH, "each key made one order");
    assert!(books.count("paid") > 0 && books.count("cancelled") > 0);
    shop.host.stop();
}

/// Places orders, pays every other one and cancels every third, asking again under the same key whenever no answer comes.
async fn shop_on_regardless(customer: &Customer, products: &[i64; 2], steps: &AtomicUsize) {
    let client = &customer.client;
    for number in 0..ORDERS_EACH {
        let (body, key) = (order_body(&[(products[0], 1), (products[1], 2)]), fresh_key());
        let order = persist(client, |client| client.post("/api/v1/orders", &body).key(&key), &[201]).await.json();
        let order = id_of(&order);
        steps.fetch_add(1, Ordering::Relaxed);
        if number % 2 == 0 {
            let list = format!("/api/v1/payments?orderId={order}");
            let payment = until(&format!("order {order} has a payment"), async || {
                persist(client, |client| client.get(&list), &[200]).await.json().get(0).map(id_of)
            })
            .await;
            let (path, key) = (format!("/api/v1/payments/{payment}/confirm"), fresh_key());
            let token = json!({"token": "tok_ok"});
            persist(client, |client| client.post(&path, &token).key(&key), &[200, 202, 409]).await;
        }
        if number % 3 == 0 {
            let path = format!("/api/v1/orders/{order}/cancel");
            persist(client, |client| client.request("POST", &path), &[200, 409]).await;
        }
    }
}

/// Sends a request again until the answer is one of `wanted`. While the host is down there is no answer at all, and
/// for a while after a crash a key may be leased to the request that died.
async fn persist(client: &Client, call: impl Fn(&Client) -> Call, wanted: &[u16]) -> Answer {
    until(&format!("an answer out of {wanted:?} comes"), async || {
        let answer = tokio::time::timeout(Duration::from_secs(20), call(client).try_send()).await.ok()?.ok()?;
        if wanted.contains(&answer.status) && !is_in_flight(&answer) {
            return Some(answer);
        }
        let passing = [409, 500, 503, 504].contains(&answer.status);
        assert!(passing, "{} {}", answer.status, answer.text());
        None
    })
    .await
}

/// Whether this 409 only says that the first request with the key still has its lease.
fn is_in_flight(answer: &Answer) -> bool {
    answer.status == 409 && answer.text().contains("flight")
}
