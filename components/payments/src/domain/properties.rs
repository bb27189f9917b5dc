//! What holds for a payment whatever happens to it, in whatever order and however often.

use std::time::{Duration, Instant};

use kit::Money;
use proptest::prelude::*;

use super::attempt::{AttemptState, Outcome};
use super::clock::{make_refunds, settle_attempts, take_in};
use super::confirm::{Confirmation, confirm};
use super::event::{OrderEvent, OrderEventKind};
use super::order::follow;
use super::payment::{MAX_DECLINES, Status};
use super::ports::Payments;
use super::ports::fake::{FakePayments, a_payment, block_on};
use super::refund::{RefundState, RefundWish, promise};
use super::token::Token;

/// Something that happens to payment 1 of order 17.
#[derive(Clone, Debug)]
enum Happening {
    /// The customer tries, and the provider answers so, or not at all.
    Confirmed(Option<Outcome>),
    /// The clock asks the provider, which knows this of the attempt, or never heard of it.
    Asked(Option<Outcome>),
    /// The provider tells by itself.
    Told(Outcome),
    OrderCancelled(u8),
    RefundWished(i64),
    /// The clock gives back, and the provider answers so.
    RefundsMade(Option<Outcome>),
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => Just(Outcome::Succeeded("ch_1".to_owned())),
        3 => Just(Outcome::Declined("card_declined".to_owned())),
        1 => Just(Outcome::Invalid("no such token".to_owned())),
        1 => Just(Outcome::ActionRequired("https://sandbox.example/act".to_owned())),
        1 => Just(Outcome::Pending),
    ]
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec(happening(), 0..40)
}

fn happening() -> impl Strategy<Value = Happening> {
    let answer = || proptest::option::weighted(0.8, outcome());
    prop_oneof![
        4 => answer().prop_map(Happening::Confirmed),
        2 => answer().prop_map(Happening::Asked),
        1 => outcome().prop_map(Happening::Told),
        1 => (0..2_u8).prop_map(Happening::OrderCancelled),
        2 => (-1..4500_i64).prop_map(Happening::RefundWished),
        2 => answer().prop_map(Happening::RefundsMade),
    ]
}

fn cancelled(payments: &FakePayments, number: u8) {
    let (kind, order_id, user_id) = (OrderEventKind::Cancelled, 17, 7);
    let event = OrderEvent { kind, order_id, user_id, amount: Money::from_minor(3998), currency: "EUR".to_owned() };
    block_on(follow(payments, &format!("cancelled-{number}"), &event, None)).unwrap();
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn happen(payments: &FakePayments, happening: &Happening, number: i64) {
    payments.time_passes();
    match happening {
        Happening::Confirmed(answer) => {
            payments.provider_answers(answer.clone());
            let token = Token::parse("tok_ok").unwrap();
            let wish = Confirmation { payment_id: 1, user_id: 7, token, attempt_number: None, traceparent: None };
            block_on(confirm(payments, &wish, |reply| format!("{reply:?}"))).unwrap();
        }
        Happening::Asked(known) => {
            payments.provider_answers(None);
            payments.provider_knows(known.clone());
            block_on(settle_attempts(payments, soon())).unwrap();
        }
        Happening::Told(outcome) => {
            let last = payments.payment().attempts;
            if let Some(attempt) = block_on(payments.attempt(1, last)).unwrap() {
                block_on(take_in(payments, &attempt, outcome, Some(&format!("webhook-{number}")))).unwrap();
            }
        }
        Happening::OrderCancelled(event) => cancelled(payments, *event),
        Happening::RefundWished(minor) => {
            // The numbers come out of a sequence, which no refund of the shop's own ever meets.
            let amount = Some(Money::from_minor(*minor));
            let wish = RefundWish {
                by: 1,
                payment_id: 1,
                refund_id: 1000 + number,
                amount,
                reason: "broken".to_owned(),
                traceparent: None,
            };
            block_on(promise(payments, &wish, |reply| format!("{reply:?}"))).unwrap();
        }
        Happening::RefundsMade(answer) => {
            payments.provider_answers(answer.clone());
            block_on(make_refunds(payments, soon())).unwrap();
        }
    }
}

/// The sum of the refunds in one of these states.
fn refunds(payments: &FakePayments, states: &[RefundState]) -> Money {
    let all = payments.refunds();
    let sum = all.iter().filter(|refund| states.contains(&refund.state)).map(|refund| refund.amount.minor()).sum();
    Money::from_minor(sum)
}

fn sound(payments: &FakePayments) {
    let payment = payments.payment();
    let attempts = payments.attempts();
    let count = |state: AttemptState| attempts.iter().filter(|attempt| attempt.state == state).count();
    assert!(
        Money::ZERO <= payment.refunded && payment.refunded <= payment.refunding && payment.refunding <= payment.amount
    );
    assert_eq!(payment.refunded, refunds(payments, &[RefundState::Succeeded]));
    assert_eq!(payment.refunding, refunds(payments, &[RefundState::Succeeded, RefundState::Pending]));
    assert_eq!(count(AttemptState::Succeeded), usize::from(payment.status == Status::Succeeded), "{attempts:?}");
    assert_eq!(count(AttemptState::Open), usize::from(payment.status == Status::Processing), "{attempts:?}");
    assert_eq!(count(AttemptState::Declined), usize::try_from(payment.declines).unwrap());
    assert!(payment.declines <= MAX_DECLINES);
    let told = |kind: &str| payments.events().into_iter().filter(|event| *event == kind).count();
    assert_eq!(told("PAYMENT_SUCCEEDED"), usize::from(payment.status == Status::Succeeded));
    assert!(told("PAYMENT_FAILED") <= 1 && told("PAYMENT_FAILED") + told("PAYMENT_SUCCEEDED") <= 1);
}

proptest! {
    #[test]
    fn whatever_happens_no_cent_is_taken_twice_or_given_back_twice(happenings in happenings()) {
        let payments = FakePayments::with(a_payment(Status::RequiresPayment));
        let mut version = payments.payment().version;
        for (happening, number) in happenings.iter().zip(1..) {
            happen(&payments, happening, number);
            sound(&payments);
            prop_assert!(payments.payment().version >= version);
            version = payments.payment().version;
        }
    }

    #[test]
    fn once_the_order_is_cancelled_and_the_provider_answers_nothing_is_kept(happenings in happenings()) {
        let payments = FakePayments::with(a_payment(Status::RequiresPayment));
        for (happening, number) in happenings.iter().zip(1..) {
            // A provider that refuses for good to give the whole back is beyond what the shop can mend.
            let refuses = matches!(happening, Happening::RefundsMade(Some(Outcome::Declined(_) | Outcome::Invalid(_))));
            if !refuses {
                happen(&payments, happening, number);
            }
        }
        cancelled(&payments, 9);
        payments.provider_answers(Some(Outcome::Succeeded("moved".to_owned())));
        payments.provider_knows(Some(Outcome::Succeeded("moved".to_owned())));
        payments.time_passes();
        block_on(settle_attempts(&payments, soon())).unwrap();
        block_on(make_refunds(&payments, soon())).unwrap();
        sound(&payments);
        let payment = payments.payment();
        match payment.status {
            Status::Succeeded => prop_assert_eq!(payment.refunded, payment.amount),
            Status::Cancelled => prop_assert_eq!(payment.refunding, Money::ZERO),
            status => prop_assert!(false, "it is still {:?}", status),
        }
    }
}
