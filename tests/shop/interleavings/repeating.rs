//! The same `Idempotency-Key`, fifty times at once.

use futures::future::join_all;
use plaza_tests::{
    Answer,
    client::Call,
    databases::Databases,
    hold::Hold,
    shop::{fresh_key, order_body},
};
use serde_json::json;

use super::{Sale, hold};
use crate::shop;

const TIMES: usize = 50;

/// Of fifty at once so many at least are seen waiting in the database; the others wait for a connection to it.
const SEEN_WAITING: usize = 8;

/// Keeps the place of a key that nobody has used yet, so that all who come with it have to wait for it together.
async fn hold_key(database: &str, user: i64, route: &str, key: &str) -> Hold {
    let statement = format!(
        "INSERT INTO idempotency_keys (user_id, route, key, body_hash, ids, lease, leased_until)
         VALUES ({user}, '{route}', '{key}', '', '{{}}', gen_random_uuid(), now())"
    );
    Hold::by(&Databases::of(&shop().host), database, &statement).await
}

/// Sends fifty, lets them race when they are lined up, and checks that they got one answer or none yet. Returns that answer,
/// which a later repetition gets as well.
async fn race(mut held: Hold, status: u16, call: impl Fn() -> Call) -> Answer {
    let all = join_all((0..TIMES).map(|_| async { call().await }));
    let starter = async {
        held.until_waiting(SEEN_WAITING).await;
        held.let_go().await;
    };
    let (answers, ()) = tokio::join!(all, starter);
    let (done, waiting): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == status);
    waiting.into_iter().for_each(in_flight);
    let repeated = call().await.expect(status);
    assert_eq!(repeated.header("idempotent-replayed"), "true");
    assert!(!done.is_empty(), "nobody was first");
    for answer in &done {
        assert_eq!(answer.bytes(), repeated.bytes());
    }
    let first = done.iter().filter(|answer| answer.header("idempotent-replayed").is_empty()).count();
    assert_eq!(first, 1, "one did the work, and the others were told of it");
    repeated
}

/// This answer says that the first request with the key is still under way.
fn in_flight(answer: Answer) {
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.problem(409)["type"], "/problems/request-in-flight");
}

#[tokio::test]
async fn fifty_orders_under_one_key_are_one_order() {
    let product = shop().product("10.00", 100).await;
    let customer = shop().customer().await;
    let (key, body) = (fresh_key(), order_body(&[(product, 1)]));
    let held = hold_key("orders_database", customer.id, "POST /orders", &key).await;
    race(held, 201, || customer.client.post("/api/v1/orders", &body).key(&key)).await;
    assert_eq!(shop().stock(product).await, 99);
    assert_eq!(customer.client.get("/api/v1/orders").await.expect(200).json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn fifty_confirmations_under_one_key_are_one_charge() {
    let sale = Sale::pending().await;
    let (key, body) = (fresh_key(), json!({"token": "tok_ok"}));
    let (path, route) =
        (format!("/api/v1/payments/{}/confirm", sale.payment), format!("POST /payments/{}/confirm", sale.payment));
    let held = hold_key("payments_database", sale.customer.id, &route, &key).await;
    race(held, 200, || sale.customer.client.post(&path, &body).key(&key)).await;
    assert_eq!(sale.moved().await, (1, 2000, 0, 0));
}

#[tokio::test]
async fn fifty_refunds_under_one_key_are_one_refund() {
    let sale = Sale::paid().await;
    let (key, body) = (fresh_key(), json!({"amount": 1.00, "reason": "a scratch"}));
    let (path, route) =
        (format!("/api/v1/payments/{}/refunds", sale.payment), format!("POST /payments/{}/refunds", sale.payment));
    let administrator = Databases::of(&shop().host)
        .number("users_database", "SELECT id FROM users WHERE email = 'admin@example.com'")
        .await;
    let admin = shop().admin().await;
    let held = hold_key("payments_database", administrator, &route, &key).await;
    race(held, 201, || admin.post(&path, &body).key(&key)).await;
    plaza_tests::until("the money is back", async || (sale.moved().await == (1, 2000, 1, 100)).then_some(())).await;
}

#[tokio::test]
async fn while_the_first_is_stuck_all_others_are_told_to_ask_later() {
    let product = shop().product("10.00", 100).await;
    let customer = shop().customer().await;
    let (key, body) = (fresh_key(), order_body(&[(product, 1)]));
    let send = async || customer.client.post("/api/v1/orders", &body).key(&key).await;
    let mut held = hold("products_database", "products", product).await;
    let others = async {
        held.until_waiting(1).await;
        join_all((1..TIMES).map(|_| send())).await.into_iter().for_each(in_flight);
        held.let_go().await;
    };
    let (first, ()) = tokio::join!(send(), others);
    let first = first.expect(201);
    for answer in join_all((1..TIMES).map(|_| send())).await {
        assert_eq!(answer.expect(201).bytes(), first.bytes());
    }
    assert_eq!(shop().stock(product).await, 99);
}

#[tokio::test]
async fn who_takes_a_key_over_goes_on_under_the_same_numbers() {
    let product = shop().product("10.00", 5).await;
    let customer = shop().customer().await;
    let (key, body) = (fresh_key(), order_body(&[(product, 2)]));
    let send = async || customer.client.post("/api/v1/orders", &body).key(&key).await;
    let databases = Databases::of(&shop().host);
    let row = format!("user_id = {} AND key = '{key}'", customer.id);
    let ids = format!("SELECT (ids ->> 'number')::bigint, ids ->> 'reservationId' FROM idempotency_keys WHERE {row}");
    let over = format!("UPDATE idempotency_keys SET leased_until = now() - interval '1 second' WHERE {row}");
    let mut held = hold("products_database", "products", product).await;
    let (go, gone) = tokio::sync::oneshot::channel();
    let conductor = async {
        held.until_waiting(1).await;
        let first = databases.rows::<(i64, String)>("orders_database", &ids).await;
        databases.execute("orders_database", &over).await;
        let _ = go.send(());
        held.until_waiting(2).await;
        held.let_go().await;
        first
    };
    let second = async {
        gone.await.expect("the first is stuck");
        send().await
    };
    let (late, second, first) = tokio::join!(send(), second, conductor);
    in_flight(late);
    let second = second.expect(201);
    assert_eq!(second.json()["id"], first[0].0);
    assert_eq!(databases.rows::<(i64, String)>("orders_database", &ids).await, first);
    assert_eq!(send().await.expect(201).bytes(), second.bytes());
    assert_eq!(shop().stock(product).await, 3);
    let reservations = format!("SELECT count(*) FROM reservation_lines WHERE product_id = {product}");
    assert_eq!(databases.number("products_database", &reservations).await, 1);
}
