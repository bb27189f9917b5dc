//! What the end of a payment does to its order.

use super::change::{Actor, Change, Step};
use super::event::{Paid, PaymentEvent};
use super::order::Order;
use super::ports::{Orders, Stock, StockError, StoreError, Unavailable};
use super::status::{Reason, Status};

/// How often the order is looked at anew when another change came first.
const MAX_TRIES: usize = 8;

/// Why an event of a payment had no effect.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// No order has this id, and none will.
    #[error("there is no order {0}")]
    NoSuchOrder(i64),
    /// Products cannot answer now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Others kept changing the order.
    #[error("order {0} keeps changing")]
    Contended(i64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lets the event have its effect, once however often it is delivered.
pub async fn settle<P: Orders + Stock>(ports: &P, event_id: &str, event: &PaymentEvent) -> Result<(), SettleError> {
    let id = event.order_id();
    for _ in 0..MAX_TRIES {
        if ports.has_seen(event_id).await? {
            return Ok(());
        }
        let order = ports.find(id).await?.ok_or(SettleError::NoSuchOrder(id))?;
        let Some(change) = consequence(ports, &order, event).await? else {
            return Ok(ports.remember(event_id).await?);
        };
        // The change was chosen for where the order stands, so the only way it cannot happen is that it need not.
        let Ok(step) = Step::plan(&order, &change, Actor::Payments) else {
            return Ok(ports.remember(event_id).await?);
        };
        if ports.save(&step.caused_by(event_id)).await? {
            return Ok(());
        }
    }
    Err(SettleError::Contended(id))
}

/// What is to happen to the order; `None` when nothing is. An order that was cancelled meanwhile stays so: its
/// cancellation tells the payments to give the money back.
async fn consequence<P: Stock>(ports: &P, order: &Order, event: &PaymentEvent) -> Result<Option<Change>, Unavailable> {
    if order.status != Status::Pending {
        return Ok(None);
    }
    match event {
        PaymentEvent::Failed { .. } => Ok(Some(Change::Cancel(Reason::PaymentFailed))),
        PaymentEvent::Succeeded(paid) => Ok(Some(paid_for(ports, order, paid).await?)),
    }
}

/// The pieces leave the stock before the order says paid; a crash between is mended by the next delivery, for
/// committing again changes nothing, and cancelling meanwhile undoes it.
async fn paid_for<P: Stock>(ports: &P, order: &Order, paid: &Paid) -> Result<Change, Unavailable> {
    if !order.costs(paid.amount, &paid.currency) {
        eprintln!("order {} was paid with a wrong amount or currency and is cancelled", order.id);
        return Ok(Change::Cancel(Reason::PaymentFailed));
    }
    match ports.commit(&order.reservation_id).await {
        Ok(()) => Ok(Change::Pay),
        Err(StockError::Unavailable(unavailable)) => Err(unavailable),
        Err(StockError::OutOfStock(_) | StockError::UnknownProducts(_) | StockError::NotFound | StockError::Undone) => {
            Ok(Change::Cancel(Reason::OutOfStock))
        }
    }
}

#[cfg(test)]
mod tests {
    use kit::Money;

    use super::*;
    use crate::domain::ports::fake::{FakeOrders, an_order, block_on};

    fn paid(amount_minor: i64) -> PaymentEvent {
        PaymentEvent::Succeeded(Paid {
            order_id: 1,
            amount: Money::from_minor(amount_minor),
            currency: "EUR".to_owned(),
        })
    }

    fn after(orders: &FakeOrders, event: &PaymentEvent) -> (Status, Option<Reason>) {
        block_on(settle(orders, "event-1", event)).unwrap();
        let order = orders.order(1);
        (order.status, order.reason)
    }

    #[test]
    fn a_paid_order_has_its_pieces() {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        assert_eq!(after(&orders, &paid(3998)), (Status::Paid, None));
        assert_eq!(orders.committed(), 1);
    }

    #[test]
    fn the_same_event_again_has_no_second_effect() {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        after(&orders, &paid(3998));
        assert_eq!(after(&orders, &paid(3998)), (Status::Paid, None));
        assert_eq!((orders.committed(), orders.order(1).version), (1, 2));
    }

    #[test]
    fn pieces_that_are_gone_cancel_the_paid_order() {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        orders.fail_stock(StockError::OutOfStock(Vec::new()));
        assert_eq!(after(&orders, &paid(3998)), (Status::Cancelled, Some(Reason::OutOfStock)));
    }

    #[test]
    fn a_wrong_amount_buys_nothing() {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        assert_eq!(after(&orders, &paid(3997)), (Status::Cancelled, Some(Reason::PaymentFailed)));
        assert_eq!(orders.committed(), 0);
    }

    #[test]
    fn a_cancelled_order_stays_cancelled_when_its_payment_arrives() {
        let mut order = an_order(1, Status::Cancelled);
        order.reason = Some(Reason::User);
        let orders = FakeOrders::with(order);
        assert_eq!(after(&orders, &paid(3998)), (Status::Cancelled, Some(Reason::User)));
        assert!(block_on(orders.has_seen("event-1")).unwrap());
    }

    #[test]
    fn an_order_cancelled_during_the_commit_stays_cancelled() {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        orders.cancel_before_next_save(1);
        assert_eq!(after(&orders, &paid(3998)), (Status::Cancelled, Some(Reason::User)));
    }

    #[test]
    fn a_failed_payment_cancels_only_a_pending_order() {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        let failed = PaymentEvent::Failed { order_id: 1 };
        assert_eq!(after(&orders, &failed), (Status::Cancelled, Some(Reason::PaymentFailed)));
        let orders = FakeOrders::with(an_order(1, Status::Paid));
        assert_eq!(after(&orders, &failed), (Status::Paid, None));
    }

    #[test]
    fn an_event_waits_while_products_cannot_answer() {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        orders.fail_stock(StockError::Unavailable(Unavailable { who: "products", why: "asleep".to_owned() }));
        let result = block_on(settle(&orders, "event-1", &paid(3998)));
        assert!(matches!(result, Err(SettleError::Unavailable(_))));
        assert_eq!(orders.order(1).status, Status::Pending);
    }
}
