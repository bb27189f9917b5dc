//! What the orders do by the clock.

use super::change::{Actor, Change, ChangeError, Step, change_order};
use super::ports::{Orders, StoreError};
use super::status::{Reason, Status};

/// Orders looked up at once.
const BATCH: i64 = 100;
/// Batches of one tick, which bounds its time; the rest waits for the next tick.
const MAX_BATCHES: usize = 10;

/// Cancels pending orders whose deadline has passed, and returns how many.
pub async fn expire<O: Orders>(orders: &O) -> Result<usize, StoreError> {
    let mut expired = 0;
    for _ in 0..MAX_BATCHES {
        let overdue = orders.overdue(BATCH).await?;
        for id in &overdue {
            expired += usize::from(expire_one(orders, *id).await?);
        }
        if i64::try_from(overdue.len()).unwrap_or(BATCH) < BATCH {
            break;
        }
    }
    Ok(expired)
}

async fn expire_one<O: Orders>(orders: &O, id: i64) -> Result<bool, StoreError> {
    let result = change_order(orders, id, |order| {
        // It may have been paid since it was looked up, and a paid order could be cancelled, but not by the clock.
        if order.status != Status::Pending {
            return Err(ChangeError::Illegal { from: order.status, to: Status::Cancelled });
        }
        Step::plan(order, &Change::Cancel(Reason::Expired), Actor::Clock)
    });
    match result.await {
        Ok(_) => Ok(true),
        Err(ChangeError::Store(error)) => Err(error),
        Err(ChangeError::NotFound | ChangeError::Illegal { .. } | ChangeError::Contended) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ports::fake::{FakeOrders, an_order, block_on};

    #[test]
    fn an_overdue_order_is_cancelled_by_the_clock() {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        assert_eq!(block_on(expire(&orders)).unwrap(), 1);
        assert_eq!(orders.order(1).reason, Some(Reason::Expired));
        assert_eq!(block_on(expire(&orders)).unwrap(), 0);
    }

    #[test]
    fn an_order_paid_at_the_last_moment_does_not_expire() {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        orders.pay_before_next_save(1);
        assert_eq!(block_on(expire(&orders)).unwrap(), 0);
        assert_eq!(orders.order(1).status, Status::Paid);
    }
}
