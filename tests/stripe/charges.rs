//! Paying.

use plaza_tests::stripe::{RETURN_URL, Step};

use crate::{Buyer, shop, stripe};

#[tokio::test]
async fn an_order_is_paid_in_the_form_of_stripes_api() {
    let buyer = Buyer::new().await;
    let paid = buyer.pay("pm_card_visa").await.expect(200).json();
    assert_eq!(paid["status"], "succeeded");
    buyer.is_charged_once().await;
    let requests = stripe().requests(buyer.payment);
    assert_eq!(requests.iter().map(|request| request.step).collect::<Vec<_>>(), [Step::Create, Step::Confirm]);
    let (create, confirm) = (&requests[0], &requests[1]);
    assert_eq!((create.parameter("amount"), create.parameter("currency")), ("3998", "eur"));
    assert_eq!(create.parameter("metadata[shop_key]"), format!("payment-{}-1", buyer.payment));
    assert_eq!(create.parameter("metadata[shop_payment_id]"), buyer.payment.to_string());
    assert_eq!((confirm.parameter("payment_method"), confirm.parameter("return_url")), ("pm_card_visa", RETURN_URL));
    assert!(requests.iter().all(|request| request.version == "2025-09-30.clover"));
    assert!(create.idempotency_key.is_some() && confirm.idempotency_key.is_some());
    assert_ne!(create.idempotency_key, confirm.idempotency_key);
}

#[tokio::test]
async fn every_kind_of_token_that_stripes_forms_give_is_taken() {
    for token in ["tok_visa", "ctoken_visa"] {
        let buyer = Buyer::new().await;
        buyer.pay(token).await.expect(200);
        buyer.is_charged_once().await;
    }
}

#[tokio::test]
async fn a_declined_card_says_why_and_another_may_be_tried() {
    let buyer = Buyer::new().await;
    let problem = buyer.pay("pm_card_chargeDeclinedInsufficientFunds").await.problem(402);
    assert!(problem["detail"].as_str().unwrap().contains("insufficient_funds"), "{problem}");
    assert_eq!(stripe().charged(buyer.payment), (0, 0));
    buyer.pay("pm_card_visa").await.expect(200);
    buyer.is_charged_once().await;
}

#[tokio::test]
async fn nobody_learns_that_a_card_is_known_to_be_stolen() {
    let buyer = Buyer::new().await;
    let problem = buyer.pay("pm_card_chargeDeclinedStolenCard").await.problem(402);
    assert!(problem["detail"].as_str().unwrap().contains("generic_decline"), "{problem}");
}

#[tokio::test]
async fn what_stripe_never_gave_is_422_and_takes_nothing() {
    let buyer = Buyer::new().await;
    assert_eq!(buyer.pay("tok-of-somebody-else").await.invalid_fields(), ["token"]);
    assert_eq!(stripe().requests(buyer.payment), []);
    let answer = buyer.pay("pm_unheard_of").await;
    let text = answer.text();
    assert_eq!(answer.invalid_fields(), ["token"]);
    assert!(text.contains("resource_missing") && !text.contains("No such"), "{text}");
    // A token is as good as money, and Stripe's own sentence repeats it.
    assert!(!shop().host.all_output().contains("pm_unheard_of"), "a token was logged");
    buyer.payment_is("requires_payment").await;
    buyer.pay("pm_card_visa").await.expect(200);
    buyer.is_charged_once().await;
}

#[tokio::test]
async fn a_payment_that_takes_days_is_processing_and_asked_about() {
    let buyer = Buyer::new().await;
    let answer = buyer.pay("pm_sepa_debit").await.expect(202).json();
    assert_eq!((answer["status"].as_str(), answer["actionUrl"].as_str()), (Some("processing"), None));
    plaza_tests::until("the intent is asked about", async || {
        stripe().requests(buyer.payment).iter().any(|request| request.step == Step::Read).then_some(())
    })
    .await;
    buyer.payment_is("processing").await;
}

#[tokio::test]
async fn the_provider_answers_for_itself_when_the_shop_is_asked_whether_it_is_ready() {
    plaza_tests::until("everybody says that they are ready, the provider among them", async || {
        let answer = shop().anyone().get("/health/ready").await;
        (answer.status == 200 && answer.json()["checks"]["payment-provider"] == "ok").then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_provider_that_is_not_used_is_not_served() {
    let status = shop().host.status().await.to_string();
    assert!(status.contains("payment-stripe") && !status.contains("payment-sandbox"), "{status}");
}
