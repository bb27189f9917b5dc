//! What the provider's answer does to a payment. An attempt closes only on an answer for its own key.

use super::attempt::{Attempt, AttemptState, Outcome};
use super::event::Event;
use super::order::{cancel_key, promise_the_rest};
use super::payment::{MAX_DECLINES, Payment, Status};
use super::write::{MarkedAttempt, Write};

/// What this outcome of this attempt changes, in the attempt's trace; `None` when it changes nothing, because it is not final or
/// was known.
pub fn settled(payment: &Payment, attempt: &Attempt, outcome: &Outcome) -> Option<Write> {
    changed(payment, attempt, outcome).map(|write| write.traced(attempt.traceparent.as_deref()))
}

fn changed(payment: &Payment, attempt: &Attempt, outcome: &Outcome) -> Option<Write> {
    match (attempt.state, outcome) {
        (AttemptState::Open | AttemptState::Abandoned, Outcome::Succeeded(charge_id)) => {
            Some(succeeded(payment, attempt, charge_id))
        }
        (AttemptState::Open, Outcome::Declined(code)) => Some(declined(payment, attempt, code)),
        (AttemptState::Open, Outcome::Invalid(how)) => {
            Some(reopened(payment, marked(attempt, AttemptState::Invalid, Some(how))))
        }
        (AttemptState::Open, Outcome::ActionRequired(url)) if attempt.action_url.as_ref() != Some(url) => {
            let mut write = Write::of(payment.next());
            let mark = marked(attempt, AttemptState::Open, None);
            write.marks = Some(MarkedAttempt { action_url: Some(url.clone()), ..mark });
            Some(write)
        }
        _ => None,
    }
}

/// The attempt is given up because its order is cancelled and the provider has made sure that nothing moves.
pub fn abandoned(payment: &Payment, attempt: &Attempt) -> Write {
    reopened(payment, marked(attempt, AttemptState::Abandoned, None))
}

fn succeeded(payment: &Payment, attempt: &Attempt, charge_id: &str) -> Write {
    let mut next = payment.next();
    next.status = Status::Succeeded;
    next.provider = Some(attempt.provider.clone());
    next.charge_id = Some(charge_id.to_owned());
    let mut write = Write::of(next);
    if payment.order_cancelled {
        write.promises = promise_the_rest(&mut write.payment, cancel_key(payment.order_id));
    }
    write.event = Some(Event::succeeded(&write.payment));
    write.marks = Some(marked(attempt, AttemptState::Succeeded, Some(charge_id)));
    write
}

fn declined(payment: &Payment, attempt: &Attempt, code: &str) -> Write {
    let mut write = reopened(payment, marked(attempt, AttemptState::Declined, Some(code)));
    write.payment.declines += 1;
    if write.payment.status == Status::RequiresPayment && write.payment.declines >= MAX_DECLINES {
        write.payment.status = Status::Cancelled;
        write.event = Some(Event::failed(&write.payment));
    }
    write
}

/// The payment waits for its customer again, or ends when its order has.
fn reopened(payment: &Payment, mark: MarkedAttempt) -> Write {
    let mut next = payment.next();
    if payment.status == Status::Processing {
        next.status = if payment.order_cancelled { Status::Cancelled } else { Status::RequiresPayment };
    }
    let mut write = Write::of(next);
    write.marks = Some(mark);
    write
}

fn marked(attempt: &Attempt, state: AttemptState, result: Option<&str>) -> MarkedAttempt {
    MarkedAttempt {
        number: attempt.number,
        state,
        result: result.map(str::to_owned),
        action_url: attempt.action_url.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ports::fake::{a_payment, an_attempt};

    fn processing() -> Payment {
        Payment { attempts: 1, ..a_payment(Status::Processing) }
    }

    fn after(payment: &Payment, state: AttemptState, outcome: Outcome) -> Option<Write> {
        settled(payment, &an_attempt(state), &outcome)
    }

    #[test]
    fn a_charge_makes_the_payment_succeed_and_tells_of_it() {
        let write = after(&processing(), AttemptState::Open, Outcome::Succeeded("ch_1".to_owned())).unwrap();
        assert_eq!(write.payment.status, Status::Succeeded);
        assert_eq!(write.payment.charge_id.as_deref(), Some("ch_1"));
        assert_eq!(write.event.unwrap().kind, "PAYMENT_SUCCEEDED");
        assert_eq!(write.marks.unwrap().state, AttemptState::Succeeded);
        assert_eq!(write.promises, None);
    }

    #[test]
    fn a_charge_for_a_cancelled_order_goes_back_at_once() {
        let payment = Payment { order_cancelled: true, ..processing() };
        let write = after(&payment, AttemptState::Open, Outcome::Succeeded("ch_1".to_owned())).unwrap();
        assert_eq!(write.promises.unwrap().amount, payment.amount);
        assert_eq!(write.payment.refunding, payment.amount);
    }

    #[test]
    fn an_abandoned_attempt_that_succeeds_late_goes_back_too() {
        let payment = Payment { status: Status::Cancelled, order_cancelled: true, ..processing() };
        let write = after(&payment, AttemptState::Abandoned, Outcome::Succeeded("ch_1".to_owned())).unwrap();
        assert_eq!((write.payment.status, write.payment.refunding), (Status::Succeeded, payment.amount));
    }

    #[test]
    fn a_decline_lets_the_customer_try_again() {
        let write = after(&processing(), AttemptState::Open, Outcome::Declined("card_declined".to_owned())).unwrap();
        assert_eq!((write.payment.status, write.payment.declines), (Status::RequiresPayment, 1));
        assert_eq!(write.event, None);
    }

    #[test]
    fn the_fifth_decline_ends_the_payment() {
        let payment = Payment { declines: 4, ..processing() };
        let write = after(&payment, AttemptState::Open, Outcome::Declined("card_declined".to_owned())).unwrap();
        assert_eq!(write.payment.status, Status::Cancelled);
        assert_eq!(write.event.unwrap().kind, "PAYMENT_FAILED");
    }

    #[test]
    fn a_decline_after_the_order_was_cancelled_ends_the_payment_silently() {
        let payment = Payment { order_cancelled: true, ..processing() };
        let write = after(&payment, AttemptState::Open, Outcome::Declined("card_declined".to_owned())).unwrap();
        assert_eq!((write.payment.status, write.event), (Status::Cancelled, None));
    }

    #[test]
    fn nonsense_is_not_counted_as_a_decline() {
        let write = after(&processing(), AttemptState::Open, Outcome::Invalid("no such token".to_owned())).unwrap();
        assert_eq!((write.payment.status, write.payment.declines), (Status::RequiresPayment, 0));
    }

    #[test]
    fn what_is_closed_stays_closed() {
        let closed = [AttemptState::Succeeded, AttemptState::Declined, AttemptState::Invalid];
        for state in closed {
            assert_eq!(after(&processing(), state, Outcome::Succeeded("ch_2".to_owned())), None);
            assert_eq!(after(&processing(), state, Outcome::Declined("late".to_owned())), None);
        }
        assert_eq!(after(&processing(), AttemptState::Open, Outcome::Pending), None);
    }

    #[test]
    fn whoever_tells_what_became_of_an_attempt_it_belongs_to_the_trace_of_the_click_that_paid() {
        let attempt = Attempt { traceparent: Some("00-paid".to_owned()), ..an_attempt(AttemptState::Open) };
        for outcome in [Outcome::Succeeded("ch_1".to_owned()), Outcome::Declined("card_declined".to_owned())] {
            let write = settled(&processing(), &attempt, &outcome).unwrap();
            assert_eq!(write.traceparent, attempt.traceparent);
        }
    }

    #[test]
    fn a_wanted_action_is_noted_once() {
        let url = "https://sandbox.example/act".to_owned();
        let write = after(&processing(), AttemptState::Open, Outcome::ActionRequired(url.clone())).unwrap();
        assert_eq!(write.payment.status, Status::Processing);
        assert_eq!(write.marks.unwrap().action_url, Some(url.clone()));
        let mut attempt = an_attempt(AttemptState::Open);
        attempt.action_url = Some(url.clone());
        assert_eq!(settled(&processing(), &attempt, &Outcome::ActionRequired(url)), None);
    }
}
