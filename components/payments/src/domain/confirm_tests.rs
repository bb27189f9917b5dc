use super::*;
use crate::domain::ports::fake::{FakePayments, a_payment, an_attempt, block_on};

fn confirmation() -> Confirmation {
    Confirmation {
        payment_id: 1,
        user_id: 7,
        token: Token::parse("tok_ok").unwrap(),
        attempt_number: None,
        traceparent: None,
    }
}

fn render(reply: &Reply) -> String {
    match reply {
        Reply::Succeeded(payment) => format!("succeeded {}", payment.amount),
        Reply::Declined(payment, code) => format!("declined {code}, now {}", payment.status.word()),
        Reply::Processing(_, url) => format!("processing {}", url.clone().unwrap_or_default()),
        other => format!("{other:?}"),
    }
}

fn answer(payments: &FakePayments, confirmation: &Confirmation) -> Result<String, ConfirmError> {
    block_on(confirm(payments, confirmation, render))
}

fn waiting() -> FakePayments {
    FakePayments::with(a_payment(Status::RequiresPayment))
}

#[test]
fn a_charge_pays_and_tells_of_it_once() {
    let payments = waiting();
    payments.provider_says(Outcome::Succeeded("ch_1".to_owned()));
    assert_eq!(answer(&payments, &confirmation()).unwrap(), "succeeded 39.98");
    assert_eq!(payments.kept_answer().unwrap(), "succeeded 39.98");
    assert_eq!(payments.events(), ["PAYMENT_SUCCEEDED"]);
    assert_eq!(payments.first_attempt().key, "payment-1-1");
}

#[test]
fn a_decline_is_answered_and_may_be_followed_by_another_attempt() {
    let payments = waiting();
    payments.provider_says(Outcome::Declined("card_declined".to_owned()));
    let said = answer(&payments, &confirmation()).unwrap();
    assert_eq!(said, "declined card_declined, now requires_payment");
    payments.provider_says(Outcome::Succeeded("ch_2".to_owned()));
    assert_eq!(answer(&payments, &confirmation()).unwrap(), "succeeded 39.98");
    assert_eq!(payments.payment().attempts, 2);
}

#[test]
fn the_fifth_decline_gives_the_payment_up() {
    let payments = waiting();
    payments.provider_says(Outcome::Declined("card_declined".to_owned()));
    for _ in 0..4 {
        answer(&payments, &confirmation()).unwrap();
    }
    assert_eq!(payments.events(), Vec::<&str>::new());
    assert_eq!(answer(&payments, &confirmation()).unwrap(), "declined card_declined, now cancelled");
    assert_eq!(payments.events(), ["PAYMENT_FAILED"]);
    assert_eq!(answer(&payments, &confirmation()).unwrap(), "NotPayable(Cancelled)");
}

#[test]
fn no_answer_leaves_the_attempt_open() {
    let payments = waiting();
    assert_eq!(answer(&payments, &confirmation()).unwrap(), "processing ");
    assert_eq!(payments.payment().status, Status::Processing);
    assert_eq!(answer(&payments, &confirmation()).unwrap(), "NotPayable(Processing)");
    assert_eq!(payments.charges(), 1);
}

#[test]
fn an_attempt_that_began_with_another_provider_is_not_sent_to_the_one_that_replaced_it() {
    let payments = FakePayments::with(Payment { attempts: 1, ..a_payment(Status::Processing) })
        .with_attempt(an_attempt(AttemptState::Open));
    payments.provider_says(Outcome::Succeeded("pi_1".to_owned()));
    payments.replace_provider("stripe");
    let again = Confirmation { attempt_number: Some(1), ..confirmation() };
    assert_eq!(answer(&payments, &again).unwrap(), "processing ");
    assert_eq!((payments.charges(), payments.payment().status), (0, Status::Processing));
}

#[test]
fn a_wanted_action_is_passed_on() {
    let payments = waiting();
    payments.provider_says(Outcome::ActionRequired("https://act".to_owned()));
    assert_eq!(answer(&payments, &confirmation()).unwrap(), "processing https://act");
}

#[test]
fn after_a_crash_the_same_key_goes_on_with_its_attempt() {
    let payment = Payment { attempts: 1, ..a_payment(Status::Processing) };
    let payments = FakePayments::with(payment).with_attempt(an_attempt(AttemptState::Open));
    payments.provider_says(Outcome::Succeeded("ch_1".to_owned()));
    let again = Confirmation { attempt_number: Some(1), ..confirmation() };
    assert_eq!(answer(&payments, &again).unwrap(), "succeeded 39.98");
    assert_eq!(payments.payment().attempts, 1);
}

#[test]
fn after_a_crash_a_closed_attempt_is_not_charged_again() {
    let payment = Payment { attempts: 1, ..a_payment(Status::Succeeded) };
    let payments = FakePayments::with(payment).with_attempt(an_attempt(AttemptState::Succeeded));
    let again = Confirmation { attempt_number: Some(1), ..confirmation() };
    assert_eq!(answer(&payments, &again).unwrap(), "succeeded 39.98");
    assert_eq!(payments.charges(), 0);
}

#[test]
fn an_order_cancelled_during_the_charge_gets_its_money_back() {
    let payment = Payment { attempts: 1, ..a_payment(Status::Processing) };
    let payments = FakePayments::with(payment).with_attempt(an_attempt(AttemptState::Open));
    payments.provider_says(Outcome::Succeeded("ch_1".to_owned()));
    payments.cancel_before_next_write();
    let again = Confirmation { attempt_number: Some(1), ..confirmation() };
    assert_eq!(answer(&payments, &again).unwrap(), "succeeded 39.98");
    let refunds = payments.refunds();
    assert_eq!((refunds.len(), refunds[0].key.as_str()), (1, "cancel-17"));
}

#[test]
fn an_order_cancelled_before_the_attempt_cannot_be_paid() {
    let payments = waiting();
    payments.cancel_before_next_write();
    assert_eq!(answer(&payments, &confirmation()).unwrap(), "NotPayable(Cancelled)");
    assert_eq!(payments.charges(), 0);
}

#[test]
fn a_deactivated_customer_pays_nothing() {
    let payments = waiting();
    let stranger = Confirmation { user_id: 8, ..confirmation() };
    assert_eq!(answer(&payments, &stranger).unwrap(), "NotActive");
    assert_eq!((payments.charges(), payments.is_released()), (0, false));
}
