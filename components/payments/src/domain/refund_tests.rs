use super::*;
use crate::domain::ports::fake::{FakePayments, a_payment, block_on};

fn wish(refund_id: i64, amount_minor: Option<i64>) -> RefundWish {
    let amount = amount_minor.map(Money::from_minor);
    RefundWish { by: 1, payment_id: 1, refund_id, amount, reason: "broken".to_owned(), traceparent: None }
}

fn render(reply: &RefundReply) -> String {
    match reply {
        RefundReply::Promised { refund, currency } => format!("{} {currency}", refund.amount),
        other => format!("{other:?}"),
    }
}

fn ask(payments: &FakePayments, wish: &RefundWish) -> String {
    block_on(promise(payments, wish, render)).unwrap()
}

#[test]
fn refunds_never_exceed_the_charge() {
    let payments = FakePayments::with(a_payment(Status::Succeeded));
    assert_eq!(ask(&payments, &wish(1, Some(3000))), "30.00 EUR");
    assert_eq!(ask(&payments, &wish(2, Some(999))), "TooMuch(Money { minor: 998 })");
    assert_eq!(ask(&payments, &wish(3, None)), "9.98 EUR");
    assert_eq!(ask(&payments, &wish(4, None)), "TooMuch(Money { minor: 0 })");
    assert_eq!(payments.refunds().len(), 2);
}

#[test]
fn nothing_and_less_than_nothing_are_no_refunds() {
    let payments = FakePayments::with(a_payment(Status::Succeeded));
    for amount_minor in [0, -1] {
        assert!(ask(&payments, &wish(1, Some(amount_minor))).starts_with("TooMuch"));
    }
}

#[test]
fn who_is_no_administrator_any_more_gives_nothing_back() {
    let payments = FakePayments::with(a_payment(Status::Succeeded));
    assert_eq!(ask(&payments, &RefundWish { by: 7, ..wish(1, None) }), "NotPermitted");
    assert_eq!((payments.refunds().len(), payments.kept_answer().as_deref()), (0, Some("NotPermitted")));
}

#[test]
fn what_was_not_charged_is_not_refunded() {
    let payments = FakePayments::with(a_payment(Status::RequiresPayment));
    assert_eq!(ask(&payments, &wish(1, None)), "NotCharged(RequiresPayment)");
}

#[test]
fn what_becomes_of_a_refund_belongs_to_the_trace_in_which_it_was_promised() {
    let payments = FakePayments::with(a_payment(Status::Succeeded));
    let traceparent = Some("00-given-back".to_owned());
    ask(&payments, &RefundWish { traceparent: traceparent.clone(), ..wish(1, Some(1000)) });
    let refund = payments.refunds().remove(0);
    let write = refund_settled(&payments.payment(), &refund, &Outcome::Succeeded("re_1".to_owned())).unwrap();
    assert_eq!(write.traceparent, traceparent);
}

#[test]
fn a_refund_that_arrived_is_told_once() {
    let payments = FakePayments::with(a_payment(Status::Succeeded));
    ask(&payments, &wish(1, Some(1000)));
    for _ in 0..2 {
        block_on(settle_refund(&payments, 1, &Outcome::Succeeded("re_1".to_owned()), None)).unwrap();
    }
    assert_eq!(payments.payment().refunded.minor(), 1000);
    assert_eq!(payments.events(), ["PAYMENT_REFUNDED"]);
}

#[test]
fn a_refused_refund_can_be_asked_for_again() {
    let payments = FakePayments::with(a_payment(Status::Succeeded));
    ask(&payments, &wish(1, None));
    block_on(settle_refund(&payments, 1, &Outcome::Declined("closed".to_owned()), None)).unwrap();
    assert_eq!(payments.payment().refunding, Money::ZERO);
    assert_eq!(ask(&payments, &wish(2, None)), "39.98 EUR");
}

#[test]
fn what_a_refused_refund_kept_back_still_leaves_with_a_cancelled_order() {
    let payments = FakePayments::with(a_payment(Status::Succeeded));
    ask(&payments, &wish(9, Some(1000)));
    payments.cancel_before_next_write();
    block_on(settle_refund(&payments, 9, &Outcome::Declined("closed".to_owned()), None)).unwrap();
    let refunds = payments.refunds();
    let keys: Vec<&str> = refunds.iter().map(|refund| refund.key.as_str()).collect();
    assert_eq!(keys, ["refund-9", "cancel-17", "cancel-17-9"]);
    assert_eq!(payments.payment().refunding, payments.payment().amount);
}
