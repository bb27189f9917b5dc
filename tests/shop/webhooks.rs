//! What the provider tells by itself.

use plaza_tests::{
    Answer,
    databases::Databases,
    sandbox::{self, SECRET, headers, notice},
    shop::{Customer, id_of},
    token::now_s,
};
use serde_json::json;

use crate::shop;

const PATH: &str = "/api/v1/payments/webhooks/sandbox";

/// Sends this body, signed with this secret at this time.
async fn send(body: &str, secret: &str, timestamp_s: i64) -> Answer {
    sandbox::send(&shop().anyone(), body, secret, timestamp_s).await
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
async fn a_customer_cannot_pay_any_more_once_the_order_is_cancelled() {
    let (customer, order, payment, key) = waiting().await;
    customer.client.request("POST", &format!("/api/v1/orders/{order}/cancel")).await.expect(200);
    customer.payment_becomes(payment, "cancelled").await;
    send(&notice(&key, "succeeded"), SECRET, now_s()).await.expect(204);
    customer.payment_becomes(payment, "cancelled").await;
    let charges = format!("SELECT count(*) FROM charges WHERE payment_id = {payment} AND state = 'succeeded'");
    assert_eq!(Databases::of(&shop().host).number("sandbox_database", &charges).await, 0);
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
    let [timestamp, signature] = headers("{}", SECRET, now_s());
    let changed = shop().anyone().request("POST", PATH).header(timestamp.0, &timestamp.1);
    changed.header(signature.0, &signature.1).body(body.as_str()).await.problem(400);
    for nonsense in ["{}", r#"{"id":"evt_1","key":"payment\u0000","outcome":"succeeded"}"#] {
        send(nonsense, SECRET, now_s()).await.problem(400);
    }
    shop().anyone().post("/api/v1/payments/webhooks/nobody", &json!({})).await.problem(404);
    // Its sender is told to let it be, rather than to send it again.
    send(&notice("payment-999999999-1", "succeeded"), SECRET, now_s()).await.expect(204);
    customer.payment_becomes(payment, "processing").await;
}
