//! Money that goes back.

use futures::future::join_all;
use plaza_tests::shop::{Customer, fresh_key, id_of};
use serde_json::{Value, json};

use crate::shop;

/// A customer who has paid 20.00, and the payment's number.
async fn paid() -> (Customer, i64) {
    let product = shop().product("10.00", 5).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 2)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    customer.pay(order).await;
    (customer, payment)
}

async fn refund(payment: i64, body: &Value, key: &str) -> plaza_tests::Answer {
    shop().admin().await.post(&format!("/api/v1/payments/{payment}/refunds"), body).key(key).await
}

async fn refunded_becomes(customer: &Customer, payment: i64, shown: &str) {
    plaza_tests::until("the money is back", async || {
        let answer = customer.client.get(&format!("/api/v1/payments/{payment}")).await.expect(200);
        answer.text().contains(&format!(r#""refunded":{shown}"#)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_payment_goes_back_in_parts_but_never_more_than_was_paid() {
    let (customer, payment) = paid().await;
    let answer = refund(payment, &json!({"amount": 5.50, "reason": "a scratch"}), &fresh_key()).await.expect(201);
    assert!(answer.text().contains(r#""amount":5.50"#), "{}", answer.text());
    let part = answer.json();
    assert_eq!(
        (&part["paymentId"], &part["currency"], &part["reason"]),
        (&json!(payment), &json!("EUR"), &json!("a scratch"))
    );
    refund(payment, &json!({"amount": 14.51, "reason": "too much"}), &fresh_key()).await.problem(409);
    refund(payment, &json!({"reason": "the rest"}), &fresh_key()).await.expect(201);
    refunded_becomes(&customer, payment, "20.00").await;
    refund(payment, &json!({"amount": 0.01, "reason": "one more"}), &fresh_key()).await.problem(409);
}

#[tokio::test]
async fn one_key_refunds_once() {
    let (customer, payment) = paid().await;
    let (key, body) = (fresh_key(), json!({"amount": 3, "reason": "late"}));
    let first = refund(payment, &body, &key).await.expect(201);
    let second = refund(payment, &body, &key).await.expect(201);
    assert_eq!(first.bytes(), second.bytes());
    assert_eq!(second.header("idempotent-replayed"), "true");
    refund(payment, &json!({"amount": 4, "reason": "late"}), &key).await.problem(422);
    refunded_becomes(&customer, payment, "3.00").await;
}

#[tokio::test]
async fn refunds_wished_for_at_once_do_not_exceed_what_was_paid() {
    let (customer, payment) = paid().await;
    let body = json!({"amount": 6, "reason": "again"});
    let keys: Vec<String> = (0..8).map(|_| fresh_key()).collect();
    let answers = join_all(keys.iter().map(|key| refund(payment, &body, key))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 3, "{statuses:?}");
    refunded_becomes(&customer, payment, "18.00").await;
}

#[tokio::test]
async fn only_the_administrator_refunds_and_only_what_was_paid_and_only_with_a_key() {
    let (customer, payment) = paid().await;
    let (path, body) = (format!("/api/v1/payments/{payment}/refunds"), json!({"reason": "broken"}));
    customer.client.post(&path, &body).key(&fresh_key()).await.problem(403);
    shop().anyone().post(&path, &body).key(&fresh_key()).await.problem(401);
    shop().admin().await.post(&path, &body).await.problem(400);
    let product = shop().product("10.00", 5).await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    let unpaid = id_of(&customer.payment_of(order).await);
    refund(unpaid, &body, &fresh_key()).await.problem(409);
}
