//! What the provider tells by itself.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use plaza_tests::{
    Answer,
    shop::{Customer, fresh_key, id_of},
};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::shop;

/// What the shop of these tests and its provider share.
pub const SECRET: &str = "a secret of the tests";
const PATH: &str = "/api/v1/payments/webhooks/sandbox";

fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{timestamp}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends this body, signed with this secret at this time.
async fn send(body: &str, secret: &str, timestamp: i64) -> Answer {
    let request = shop().anyone().request("POST", PATH).header("content-type", "application/json");
    let request = request.header("webhook-timestamp", &timestamp.to_string());
    request.header("webhook-signature", &signature(secret, timestamp, body)).body(body).await
}

/// A customer who must act before the payment goes on; the order, the payment, and the key that the provider knows.
async fn waiting() -> (Customer, i64, i64, String) {
    let product = shop().product("10.00", 5).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    let answer = customer.confirm(payment, "tok_3ds").await.expect(202).json();
    assert_eq!(answer["status"], "processing");
    assert!(answer["actionUrl"].as_str().unwrap().starts_with("https://"), "{answer}");
    (customer, order, payment, format!("payment-{payment}-1"))
}

fn notice(key: &str, outcome: &str) -> String {
    let notice: Value = json!({"id": format!("evt-{}", fresh_key()), "key": key, "outcome": outcome});
    notice.to_string()
}

#[tokio::test]
async fn a_payment_that_waits_for_its_customer_ends_by_webhook_and_a_replay_has_no_effect() {
    let (customer, order, payment, key) = waiting().await;
    let body = notice(&key, "succeeded");
    for _ in 0..3 {
        send(&body, SECRET, now_s()).await.expect(204);
    }
    customer.order_becomes(order, "paid").await;
    customer.payment_becomes(payment, "succeeded").await;
    let history = customer.client.get(&format!("/api/v1/orders/{order}/history")).await.expect(200).json();
    assert_eq!(history.as_array().unwrap().len(), 2, "{history}");
    send(&notice(&key, "declined"), SECRET, now_s()).await.expect(204);
    customer.payment_becomes(payment, "succeeded").await;
}

#[tokio::test]
async fn a_customer_who_refuses_to_act_may_pay_otherwise() {
    let (customer, order, payment, key) = waiting().await;
    send(&notice(&key, "declined"), SECRET, now_s()).await.expect(204);
    customer.payment_becomes(payment, "requires_payment").await;
    customer.confirm(payment, "tok_ok").await.expect(200);
    customer.order_becomes(order, "paid").await;
}

#[tokio::test]
async fn a_webhook_that_is_forged_old_or_unsigned_is_refused() {
    let (customer, _, payment, key) = waiting().await;
    let body = notice(&key, "succeeded");
    send(&body, "another secret", now_s()).await.problem(400);
    for timestamp in [now_s() - 310, now_s() + 310] {
        send(&body, SECRET, timestamp).await.problem(400);
    }
    let unsigned = shop().anyone().request("POST", PATH).header("content-type", "application/json");
    unsigned.body(body.as_str()).await.problem(400);
    let changed = shop().anyone().request("POST", PATH).header("webhook-timestamp", &now_s().to_string());
    let changed = changed.header("webhook-signature", &signature(SECRET, now_s(), "{}"));
    changed.body(body.as_str()).await.problem(400);
    send("{}", SECRET, now_s()).await.problem(400);
    shop().anyone().post("/api/v1/payments/webhooks/nobody", &json!({})).await.problem(404);
    let unknown = send(&notice("payment-999999999-1", "succeeded"), SECRET, now_s()).await;
    assert!([400, 404].contains(&unknown.status), "{}", unknown.status);
    customer.payment_becomes(payment, "processing").await;
}
