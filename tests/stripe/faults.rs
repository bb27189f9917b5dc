//! Paying while Stripe, or the way to it, fails. Whatever happens, the money moves once.

use std::time::Duration;

use plaza_tests::stripe::{Fault, Step};

use crate::{Buyer, stripe};

/// Longer than the shop waits for its provider.
const LATE: Duration = Duration::from_secs(5);

/// Pays through this fault of this step; the customer may be told at once or later, and is charged once.
async fn pay_through(step: Step, faults: &[Fault]) -> u16 {
    let buyer = Buyer::new().await;
    stripe().faults(buyer.payment, step, faults.iter().copied());
    let status = buyer.pay("pm_card_visa").await.status;
    assert!([200, 202].contains(&status), "{faults:?} at {step:?} is answered with {status}");
    buyer.is_charged_once().await;
    status
}

#[tokio::test]
async fn a_passing_failure_is_overcome_at_once() {
    for step in [Step::Create, Step::Confirm] {
        for fault in [Fault::Down, Fault::Limited, Fault::Unheard] {
            assert_eq!(pay_through(step, &[fault]).await, 200, "{fault:?} at {step:?}");
        }
    }
}

#[tokio::test]
async fn a_failure_that_stripe_keeps_is_overcome_under_another_idempotency_key() {
    for step in [Step::Create, Step::Confirm] {
        assert_eq!(pay_through(step, &[Fault::Failed]).await, 200, "at {step:?}");
    }
}

#[tokio::test]
async fn a_failure_that_charged_all_the_same_is_found_out() {
    assert_eq!(pay_through(Step::Confirm, &[Fault::FailedAfter]).await, 200);
}

#[tokio::test]
async fn an_answer_that_is_lost_or_no_json_is_asked_for_again_and_nothing_is_charged_twice() {
    for step in [Step::Create, Step::Confirm] {
        for fault in [Fault::Lost, Fault::Garbled] {
            assert_eq!(pay_through(step, &[fault]).await, 200, "{fault:?} at {step:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_beyond_the_deadline_is_202_and_settled_by_the_clock() {
    let buyer = Buyer::new().await;
    stripe().faults(buyer.payment, Step::Confirm, [Fault::Late(LATE)]);
    // The intent itself could tell sooner, so it cannot be asked either.
    stripe().faults(buyer.payment, Step::Read, [Fault::Down; 2]);
    assert_eq!(buyer.pay("pm_card_visa").await.expect(202).json()["status"], "processing");
    assert_eq!(stripe().charged(buyer.payment), (1, 3998));
    buyer.is_charged_once().await;
}

#[tokio::test]
async fn nothing_is_charged_twice_though_stripe_has_forgotten_the_request() {
    for (step, fault) in
        [(Step::Create, Fault::Lost), (Step::Confirm, Fault::Lost), (Step::Confirm, Fault::FailedAfter)]
    {
        let buyer = Buyer::new().await;
        stripe().forgets_requests(buyer.payment);
        stripe().faults(buyer.payment, step, [fault]);
        buyer.pay("pm_card_visa").await.expect(200);
        buyer.is_charged_once().await;
    }
}

#[tokio::test]
async fn a_charge_that_takes_long_is_not_begun_a_second_time() {
    assert_eq!(pay_through(Step::Confirm, &[Fault::Slow(LATE)]).await, 202);
}

#[tokio::test]
async fn a_decline_whose_answer_was_lost_is_found_by_the_clock() {
    let buyer = Buyer::new().await;
    stripe().faults(buyer.payment, Step::Confirm, [Fault::Lost]);
    stripe().faults(buyer.payment, Step::Read, [Fault::Limited; 2]);
    buyer.pay("pm_card_chargeDeclinedInsufficientFunds").await.expect(202);
    buyer.payment_is("requires_payment").await;
    assert_eq!(stripe().charged(buyer.payment), (0, 0));
}

#[tokio::test]
async fn an_order_cancelled_while_its_charge_is_lost_gets_the_money_back() {
    let buyer = Buyer::new().await;
    stripe().faults(buyer.payment, Step::Confirm, [Fault::Late(LATE)]);
    stripe().faults(buyer.payment, Step::Read, [Fault::Down; 2]);
    buyer.pay("pm_card_visa").await.expect(202);
    buyer.cancel().await;
    buyer.refunded("39.98").await;
    assert_eq!((stripe().charged(buyer.payment), stripe().refunds(buyer.payment).len()), ((1, 3998), 1));
}

#[tokio::test]
async fn an_order_cancelled_before_its_charge_arrived_is_not_charged_at_all() {
    let buyer = Buyer::new().await;
    stripe().faults(buyer.payment, Step::Confirm, [Fault::Unheard; 3]);
    buyer.pay("pm_card_visa").await.expect(202);
    buyer.cancel().await;
    buyer.payment_is("cancelled").await;
    assert_eq!(stripe().charged(buyer.payment), (0, 0));
    let statuses: Vec<_> = stripe().intents(buyer.payment).iter().map(|intent| intent["status"].clone()).collect();
    assert_eq!(statuses, ["canceled"]);
}
