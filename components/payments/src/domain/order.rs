//! What an order's beginning and end do to its payment.

use kit::Money;

use super::event::{OrderEvent, OrderEventKind};
use super::payment::{Payment, Status};
use super::ports::{NewPayment, Payments, StoreError};
use super::write::{NewRefund, Write, Written};

/// How often a payment is looked at anew when another change came first.
const MAX_TRIES: usize = 8;

/// Why an event of an order had no effect; it has to come again.
#[derive(Debug, thiserror::Error)]
pub enum OrderEventError {
    /// Others kept changing the payment.
    #[error("the payment of order {0} keeps changing")]
    Contended(i64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lets the event have its effect, once however often it is delivered.
pub async fn follow<P: Payments>(
    payments: &P,
    event_id: &str,
    event: &OrderEvent,
    traceparent: Option<&str>,
) -> Result<(), OrderEventError> {
    match event.kind {
        OrderEventKind::Created => Ok(payments.open(event_id, &opened(event, traceparent)).await?),
        OrderEventKind::Cancelled => cancel(payments, event_id, event, traceparent).await,
    }
}

async fn cancel<P: Payments>(
    payments: &P,
    event_id: &str,
    event: &OrderEvent,
    traceparent: Option<&str>,
) -> Result<(), OrderEventError> {
    for _ in 0..MAX_TRIES {
        if payments.has_seen(event_id).await? {
            return Ok(());
        }
        let Some(payment) = payments.find_by_order(event.order_id).await? else {
            // The end without the beginning, whose event was lost for good: remembered, so that nobody can pay.
            payments.open(event_id, &ended(event, traceparent)).await?;
            continue;
        };
        let write = order_cancelled(&payment).caused_by(Some(event_id)).traced(traceparent);
        if payments.write(&write).await? != Written::Outrun {
            return Ok(());
        }
    }
    Err(OrderEventError::Contended(event.order_id))
}

/// What becomes of a payment whose order is cancelled: it ends, or is flagged until it is known whether it took
/// money, or all that it took and has not promised back yet goes back.
pub fn order_cancelled(payment: &Payment) -> Write {
    let mut next = payment.next();
    next.order_cancelled = true;
    if payment.status == Status::RequiresPayment {
        next.status = Status::Cancelled;
    }
    let mut write = Write::of(next);
    write.promises = promise_the_rest(&mut write.payment, cancel_key(payment.order_id));
    write
}

/// The key under which the provider knows the refund of a cancelled order.
pub fn cancel_key(order_id: i64) -> String {
    format!("cancel-{order_id}")
}

/// A refund of all that is left of the charge, if anything is.
pub(super) fn promise_the_rest(payment: &mut Payment, key: String) -> Option<NewRefund> {
    let amount = payment.refundable();
    if amount == Money::ZERO {
        return None;
    }
    payment.refunding = payment.amount;
    Some(NewRefund { id: None, key, amount, reason: "order_cancelled".to_owned() })
}

fn opened(event: &OrderEvent, traceparent: Option<&str>) -> NewPayment {
    NewPayment {
        order_id: event.order_id,
        user_id: event.user_id,
        amount: event.amount,
        currency: event.currency.clone(),
        order_cancelled: false,
        traceparent: traceparent.map(str::to_owned),
    }
}

fn ended(event: &OrderEvent, traceparent: Option<&str>) -> NewPayment {
    NewPayment { order_cancelled: true, ..opened(event, traceparent) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ports::fake::{FakePayments, a_payment, block_on};

    fn event(kind: OrderEventKind) -> OrderEvent {
        OrderEvent { kind, order_id: 17, user_id: 7, amount: Money::from_minor(3998), currency: "EUR".to_owned() }
    }

    #[test]
    fn a_new_order_opens_its_payment_once() {
        let payments = FakePayments::default();
        for event_id in ["created", "created"] {
            block_on(follow(&payments, event_id, &event(OrderEventKind::Created), None)).unwrap();
        }
        assert_eq!(payments.payment().status, Status::RequiresPayment);
        assert_eq!(payments.count(), 1);
    }

    #[test]
    fn cancelling_ends_a_payment_that_waits() {
        let write = order_cancelled(&a_payment(Status::RequiresPayment));
        assert_eq!((write.payment.status, write.promises), (Status::Cancelled, None));
    }

    #[test]
    fn cancelling_flags_a_payment_under_way() {
        let write = order_cancelled(&a_payment(Status::Processing));
        assert_eq!((write.payment.status, write.payment.order_cancelled), (Status::Processing, true));
        assert_eq!(write.promises, None);
    }

    #[test]
    fn cancelling_gives_back_what_is_left_of_a_charge() {
        let mut payment = a_payment(Status::Succeeded);
        payment.refunding = Money::from_minor(1000);
        let write = order_cancelled(&payment);
        let refund = write.promises.unwrap();
        assert_eq!((refund.key.as_str(), refund.amount.minor()), ("cancel-17", 2998));
        assert_eq!(write.payment.refunding, payment.amount);
        assert_eq!(write.payment.status, Status::Succeeded);
    }

    #[test]
    fn cancelling_twice_gives_nothing_back_twice() {
        let once = order_cancelled(&a_payment(Status::Succeeded)).payment;
        assert_eq!(order_cancelled(&once).promises, None);
    }

    #[test]
    fn the_end_of_an_unknown_order_is_not_lost() {
        let payments = FakePayments::default();
        block_on(follow(&payments, "cancelled", &event(OrderEventKind::Cancelled), None)).unwrap();
        block_on(follow(&payments, "created", &event(OrderEventKind::Created), None)).unwrap();
        assert_eq!(payments.payment().status, Status::Cancelled);
    }
}
