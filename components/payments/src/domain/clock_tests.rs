use std::time::Duration;

use super::*;
use crate::domain::payment::Status;
use crate::domain::ports::fake::{FakePayments, a_payment, an_attempt, block_on};
use crate::domain::refund::RefundState;

fn processing() -> FakePayments {
    let payment = Payment { attempts: 1, ..a_payment(Status::Processing) };
    FakePayments::with(payment).with_attempt(an_attempt(AttemptState::Open))
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
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

/// A payment whose money is promised back, and twenty attempts that nobody has heard of since.
fn with_much_to_do() -> FakePayments {
    let payments = FakePayments::with(a_payment(Status::Succeeded));
    block_on(payments.write(&crate::domain::order::order_cancelled(&payments.payment()))).unwrap();
    let attempts = (1..=20).map(|number| Attempt {
        number,
        key: crate::domain::attempt::attempt_key(1, number),
        ..an_attempt(AttemptState::Open)
    });
    let payments = attempts.fold(payments, FakePayments::with_attempt);
    payments.provider_finds(Outcome::Pending);
    payments.provider_takes(Duration::from_millis(100));
    payments
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(500)
}

#[test]
fn refunds_are_made_though_a_slow_provider_has_more_attempts_to_tell_of_than_a_tick_has_time_for() {
    let payments = with_much_to_do();
    block_on(look_after(&payments, soon())).unwrap();
    assert_eq!(payments.given_back(), ["cancel-17"]);
    let asked = payments.withdrawn().len();
    assert!((1..20).contains(&asked), "{asked} attempts were asked about");
}

#[test]
fn what_was_not_asked_about_stays_due() {
    let payments = with_much_to_do();
    block_on(settle_attempts(&payments, soon())).unwrap();
    let first = payments.withdrawn();
    assert_eq!(payments.put_off(), first.iter().cloned().collect());
    block_on(settle_attempts(&payments, soon())).unwrap();
    let asked = payments.withdrawn();
    assert!(asked.len() > first.len());
    assert_eq!(payments.put_off().len(), asked.len(), "none was asked about twice");
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

fn of_a_cancelled_order() -> FakePayments {
    let payment = Payment { attempts: 1, order_cancelled: true, ..a_payment(Status::Processing) };
    FakePayments::with(payment).with_attempt(an_attempt(AttemptState::Open))
}

#[test]
fn a_charge_that_has_not_moved_is_given_up_with_its_order_once_it_is_withdrawn() {
    let payments = of_a_cancelled_order();
    block_on(settle_attempts(&payments, later())).unwrap();
    assert_eq!((payments.charges(), payments.withdrawn()), (0, vec!["payment-1-1".to_owned()]));
    assert_eq!(payments.payment().status, Status::Cancelled);
    assert_eq!(payments.first_attempt().state, AttemptState::Abandoned);
}

#[test]
fn a_customer_who_was_to_act_for_a_cancelled_order_cannot_pay_any_more() {
    let payments = of_a_cancelled_order();
    block_on(take_in(&payments, &an_attempt(AttemptState::Open), &Outcome::ActionRequired("https://act".into()), None))
        .unwrap();
    assert_eq!(payments.first_attempt().state, AttemptState::Open);
    block_on(settle_attempts(&payments, later())).unwrap();
    assert_eq!(payments.withdrawn(), ["payment-1-1"]);
    assert_eq!(payments.first_attempt().state, AttemptState::Abandoned);
}

#[test]
fn a_charge_that_cannot_be_withdrawn_any_more_goes_back() {
    let payments = of_a_cancelled_order();
    payments.provider_finds(Outcome::Succeeded("ch_1".to_owned()));
    block_on(settle_attempts(&payments, later())).unwrap();
    let payment = payments.payment();
    assert_eq!((payment.status, payment.refunding), (Status::Succeeded, payment.amount));
}

#[test]
fn what_began_with_another_provider_waits_for_it() {
    let payments = processing();
    payments.provider_finds(Outcome::Succeeded("ch_1".to_owned()));
    payments.replace_provider("stripe");
    block_on(settle_attempts(&payments, later())).unwrap();
    assert_eq!(payments.payment().status, Status::Processing);
    payments.replace_provider("sandbox");
    block_on(settle_attempts(&payments, later())).unwrap();
    assert_eq!(payments.payment().status, Status::Succeeded);
}

#[test]
fn the_refund_of_another_providers_charge_waits_for_it() {
    let payments = FakePayments::with(a_payment(Status::Succeeded));
    block_on(payments.write(&crate::domain::order::order_cancelled(&payments.payment()))).unwrap();
    payments.provider_says(Outcome::Succeeded("re_1".to_owned()));
    payments.replace_provider("stripe");
    block_on(make_refunds(&payments, later())).unwrap();
    assert_eq!(payments.given_back(), Vec::<String>::new());
    payments.replace_provider("sandbox");
    payments.time_passes();
    block_on(make_refunds(&payments, later())).unwrap();
    assert_eq!(payments.given_back(), ["cancel-17"]);
}

#[test]
fn the_refund_of_a_cancelled_order_is_made_until_it_is_answered() {
    let payments = FakePayments::with(a_payment(Status::Succeeded));
    block_on(payments.write(&crate::domain::order::order_cancelled(&payments.payment()))).unwrap();
    block_on(make_refunds(&payments, later())).unwrap();
    assert_eq!(payments.refunds()[0].state, RefundState::Pending);
    payments.provider_says(Outcome::Succeeded("re_1".to_owned()));
    payments.time_passes();
    block_on(make_refunds(&payments, later())).unwrap();
    payments.time_passes();
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
