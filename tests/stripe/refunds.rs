//! Giving money back.

use plaza_tests::{
    shop::fresh_key,
    stripe::{Fault, Step},
};
use serde_json::json;

use crate::{Buyer, shop, stripe, tell};

async fn ask_back(buyer: &Buyer, amount: i64) {
    let body = json!({"amount": amount, "reason": "broken"});
    let path = format!("/api/v1/payments/{}/refunds", buyer.payment);
    shop().admin().await.post(&path, &body).key(&fresh_key()).await.expect(201);
}

/// Waits until Stripe has made a refund of a payment.
async fn made(buyer: &Buyer) {
    plaza_tests::until("the refund is made", async || stripe().refunds(buyer.payment).pop()).await;
}

#[tokio::test]
async fn a_part_goes_back_and_then_the_rest_with_the_order() {
    let buyer = Buyer::paid().await;
    ask_back(&buyer, 10).await;
    buyer.refunded("10.00").await;
    buyer.cancel().await;
    buyer.refunded("39.98").await;
    let refunds = stripe().refunds(buyer.payment);
    let amounts: Vec<_> = refunds.iter().map(|refund| refund["amount"].as_i64().unwrap()).collect();
    assert_eq!(amounts, [1000, 2998]);
    assert_eq!(refunds[1]["metadata"]["shop_key"], format!("cancel-{}", buyer.order));
}

#[tokio::test]
async fn a_pending_refund_ends_by_an_event() {
    let buyer = Buyer::paid().await;
    stripe().refunds_become(buyer.payment, "pending");
    ask_back(&buyer, 10).await;
    made(&buyer).await;
    buyer.refunded("0.00").await;
    stripe().refunds_become(buyer.payment, "succeeded");
    tell("refund.updated", &stripe().refunds(buyer.payment)[0]).await.expect(204);
    buyer.refunded("10.00").await;
    assert_eq!(stripe().refunds(buyer.payment).len(), 1);
}

#[tokio::test]
async fn a_pending_refund_ends_by_the_clock_too() {
    let buyer = Buyer::paid().await;
    stripe().refunds_become(buyer.payment, "pending");
    ask_back(&buyer, 10).await;
    made(&buyer).await;
    stripe().refunds_become(buyer.payment, "succeeded");
    buyer.refunded("10.00").await;
    assert_eq!(stripe().refunds(buyer.payment).len(), 1);
}

#[tokio::test]
async fn a_refund_that_fails_is_not_shown_as_given_back_and_may_be_asked_for_again() {
    let buyer = Buyer::paid().await;
    stripe().refunds_become(buyer.payment, "pending");
    ask_back(&buyer, 30).await;
    made(&buyer).await;
    let path = format!("/api/v1/payments/{}/refunds", buyer.payment);
    let again = json!({"amount": 20, "reason": "broken"});
    shop().admin().await.post(&path, &again).key(&fresh_key()).await.problem(409);
    stripe().refunds_become(buyer.payment, "failed");
    tell("refund.failed", &stripe().refunds(buyer.payment)[0]).await.expect(204);
    buyer.refunded("0.00").await;
    shop().admin().await.post(&path, &again).key(&fresh_key()).await.expect(201);
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_looked_for_and_not_made_twice() {
    for fault in [Fault::Lost, Fault::Garbled, Fault::FailedAfter] {
        let buyer = Buyer::paid().await;
        // A day later the idempotency key alone would not keep it from being made again.
        stripe().forgets_requests(buyer.payment);
        stripe().faults(buyer.payment, Step::Refund, [fault]);
        ask_back(&buyer, 10).await;
        buyer.refunded("10.00").await;
        assert_eq!(stripe().refunds(buyer.payment).len(), 1, "{fault:?}");
        let steps: Vec<Step> = stripe().requests(buyer.payment).iter().map(|request| request.step).collect();
        assert_eq!(steps[2..], [Step::Refund, Step::List], "{fault:?}");
    }
}

#[tokio::test]
async fn a_refund_that_never_arrived_is_made_later() {
    for fault in [Fault::Down, Fault::Limited, Fault::Unheard] {
        let buyer = Buyer::paid().await;
        stripe().faults(buyer.payment, Step::Refund, [fault]);
        ask_back(&buyer, 10).await;
        buyer.refunded("10.00").await;
        assert_eq!(stripe().refunds(buyer.payment).len(), 1, "{fault:?}");
    }
}
