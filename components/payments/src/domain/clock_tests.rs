use super::*;
use crate::domain::payment::Status;
use crate::domain::ports::fake::{FakePayments, a_payment, an_attempt, block_on};
use crate::domain::refund::RefundState;

fn processing() -> FakePayments {
    let payment = Payment { attempts: 1, ..a_payment(Status::Processing) };
    FakePayments::with(payment).with_attempt(an_attempt(AttemptState::Open))
}

fn later() -> Instant {
    Instant::now() + std::time::Duration::from_secs(60)
}

#[test]
fn a_tick_that_has_used_up_its_time_leaves_the_rest_to_the_next() {
    let payments = processing();
    payments.provider_finds(Outcome::Succeeded("ch_1".to_owned()));
    block_on(settle_attempts(&payments, Instant::now())).unwrap();
    assert_eq!(payments.payment().status, Status::Processing);
    block_on(settle_attempts(&payments, later())).unwrap();
    assert_eq!(payments.payment().status, Status::Succeeded);
}

#[test]
fn a_lost_answer_is_found_and_nothing_is_charged_again() {
    let payments = processing();
    payments.provider_finds(Outcome::Succeeded("ch_1".to_owned()));
    block_on(settle_attempts(&payments, later())).unwrap();
    assert_eq!(payments.payment().status, Status::Succeeded);
    assert_eq!((payments.charges(), payments.events()), (0, vec!["PAYMENT_SUCCEEDED"]));
}

#[test]
fn a_charge_that_never_arrived_is_sent_again_under_its_key() {
    let payments = processing();
    payments.provider_says(Outcome::Declined("card_declined".to_owned()));
    block_on(settle_attempts(&payments, later())).unwrap();
    assert_eq!((payments.charges(), payments.payment().status), (1, Status::RequiresPayment));
}

#[test]
fn a_charge_that_never_arrived_is_given_up_with_its_order() {
    let payment = Payment { attempts: 1, order_cancelled: true, ..a_payment(Status::Processing) };
    let payments = FakePayments::with(payment).with_attempt(an_attempt(AttemptState::Open));
    block_on(settle_attempts(&payments, later())).unwrap();
    assert_eq!((payments.charges(), payments.payment().status), (0, Status::Cancelled));
    assert_eq!(payments.first_attempt().state, AttemptState::Abandoned);
}

#[test]
fn a_request_may_be_on_its_way_for_a_minute() {
    let sent_at = Utc::now();
    assert!(!is_silent(sent_at, sent_at + Duration::seconds(60)));
    assert!(is_silent(sent_at, sent_at + Duration::seconds(61)));
}

#[test]
fn the_refund_of_a_cancelled_order_is_made_until_it_is_answered() {
    let payments = FakePayments::with(a_payment(Status::Succeeded));
    block_on(payments.write(&crate::domain::order::order_cancelled(&payments.payment()))).unwrap();
    block_on(make_refunds(&payments, later())).unwrap();
    assert_eq!(payments.refunds()[0].state, RefundState::Pending);
    payments.provider_says(Outcome::Succeeded("re_1".to_owned()));
    block_on(make_refunds(&payments, later())).unwrap();
    block_on(make_refunds(&payments, later())).unwrap();
    assert_eq!(payments.given_back(), ["cancel-17", "cancel-17"]);
    assert_eq!(payments.payment().refunded, payments.payment().amount);
}

#[test]
fn a_webhook_closes_the_attempt_that_it_names() {
    let payments = processing();
    let outcome = Outcome::Succeeded("ch_1".to_owned());
    for _ in 0..2 {
        block_on(take_in(&payments, &an_attempt(AttemptState::Open), &outcome, Some("webhook-1"))).unwrap();
    }
    assert_eq!(payments.events(), ["PAYMENT_SUCCEEDED"]);
    assert!(block_on(payments.has_seen("webhook-1")).unwrap());
}
