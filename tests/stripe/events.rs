//! Customers who must act, and what Stripe tells by itself.

use plaza_tests::stripe::{WEBHOOK_SECRET, webhook};
use serde_json::json;

use crate::{Buyer, post, shop, stripe, tell};

/// A customer who was sent to act before the payment goes on.
async fn acting() -> Buyer {
    let buyer = Buyer::new().await;
    let answer = buyer.pay("pm_card_authenticationRequired").await.expect(202).json();
    assert_eq!(answer["status"], "processing");
    assert!(answer["actionUrl"].as_str().unwrap().starts_with("https://hooks.stripe.com/"), "{answer}");
    buyer
}

#[tokio::test]
async fn a_customer_acts_and_an_event_tells_once_that_it_is_paid() {
    let buyer = acting().await;
    let intent = stripe().customer_acts(buyer.payment, true);
    let body = webhook::event("payment_intent.succeeded", &intent);
    for _ in 0..3 {
        let now_s = webhook::now_s();
        let signature = webhook::signature(WEBHOOK_SECRET, now_s, &body);
        post(&body, &format!("t={now_s},v1={signature}")).await.expect(204);
    }
    buyer.is_charged_once().await;
    let path = format!("/api/v1/orders/{}/history", buyer.order);
    let history = buyer.customer.client.get(&path).await.expect(200).json();
    assert_eq!(history.as_array().unwrap().len(), 2, "{history}");
}

#[tokio::test]
async fn a_customer_who_fails_to_act_may_pay_otherwise() {
    let buyer = acting().await;
    let intent = stripe().customer_acts(buyer.payment, false);
    tell("payment_intent.payment_failed", &intent).await.expect(204);
    buyer.payment_is("requires_payment").await;
    buyer.pay("pm_card_visa").await.expect(200);
    buyer.is_charged_once().await;
}

#[tokio::test]
async fn without_any_event_the_clock_finds_out_what_the_customer_did() {
    let buyer = acting().await;
    stripe().customer_acts(buyer.payment, true);
    buyer.is_charged_once().await;
}

#[tokio::test]
async fn a_customer_cannot_act_any_more_once_the_order_is_cancelled() {
    let buyer = acting().await;
    buyer.cancel().await;
    buyer.payment_is("cancelled").await;
    assert_eq!(stripe().intents(buyer.payment)[0]["status"], "canceled");
}

#[tokio::test]
async fn an_event_that_is_forged_stale_or_unsigned_is_refused() {
    let buyer = acting().await;
    let intent = json!({"id": stripe().intents(buyer.payment)[0]["id"], "status": "succeeded"});
    let body = webhook::event("payment_intent.succeeded", &intent);
    let now_s = webhook::now_s();
    let signature = |secret: &str, timestamp_s: i64| webhook::signature(secret, timestamp_s, &body);
    let good = signature(WEBHOOK_SECRET, now_s);
    post(&body, &format!("t={now_s},v1={}", signature("whsec_of_another", now_s))).await.problem(400);
    for sent_s in [now_s - 310, now_s + 310] {
        post(&body, &format!("t={sent_s},v1={}", signature(WEBHOOK_SECRET, sent_s))).await.problem(400);
    }
    post(&body, &format!("t={},v1={good}", now_s + 1)).await.problem(400);
    post(&body, &format!("t={now_s},v0={good}")).await.problem(400);
    post(&body, "").await.problem(400);
    post(&body.replace("succeeded", "canceled"), &format!("t={now_s},v1={good}")).await.problem(400);
    shop().anyone().post("/api/v1/payments/webhooks/stripe", &json!({})).await.problem(400);
    shop().anyone().post("/api/v1/payments/webhooks/sandbox", &json!({})).await.problem(404);
    buyer.payment_is("processing").await;
}

#[tokio::test]
async fn while_the_signing_secret_is_replaced_one_of_two_signatures_is_enough() {
    let buyer = acting().await;
    let intent = stripe().customer_acts(buyer.payment, true);
    let body = webhook::event("payment_intent.succeeded", &intent);
    let now_s = webhook::now_s();
    let (old, new) =
        (webhook::signature("whsec_of_yesterday", now_s, &body), webhook::signature(WEBHOOK_SECRET, now_s, &body));
    post(&body, &format!("t={now_s},v1={old},v1={new},v0={old}")).await.expect(204);
    buyer.is_charged_once().await;
}

#[tokio::test]
async fn an_event_of_something_else_is_acknowledged_and_has_no_effect() {
    let buyer = acting().await;
    let key = format!("payment-{}-1", buyer.payment);
    let foreign = json!({"id": "pi_of_another_shop", "status": "succeeded", "metadata": {"shop_key": key}});
    tell("payment_intent.succeeded", &foreign).await.expect(204);
    tell("customer.created", &json!({"id": "cus_1", "object": "customer"})).await.expect(204);
    let charge = json!({"id": "ch_1", "payment_intent": stripe().intents(buyer.payment)[0]["id"]});
    tell("charge.refunded", &charge).await.expect(204);
    tell("payment_intent.created", &stripe().intents(buyer.payment)[0]).await.expect(204);
    buyer.payment_is("processing").await;
}
