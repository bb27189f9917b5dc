//! Payments in Postgres. Every change is one statement that takes effect as a whole or not at all.

use kit::idempotency::{self, Answer, Lease};
use kit::inbox;
use kit::sql::{ParameterValue, Row, SqlError, all, and_equal, moment, text};

use super::row::{self, ATTEMPT, PAYMENT, REFUND};
use super::write::store;
use super::{DATABASE, KeyIds, World};
use crate::domain::attempt::Attempt;
use crate::domain::payment::{Payment, Status};
use crate::domain::ports::{Chores, Filter, Keyed, NewPayment, Payments, StoreError};
use crate::domain::refund::Refund;
use crate::domain::write::{Write, Written};

const OPEN: &str = "
with seen as (
    insert into inbox (event_id) values ($1::text) on conflict do nothing returning 1
)
insert into payments (order_id, user_id, amount_minor, currency, status, order_cancelled, traceparent)
select $2::bigint, $3::bigint, $4::bigint, $5::text, $6::text, $7::boolean, $8::text from seen
on conflict (order_id) do nothing";

impl Payments for World {
    async fn find(&self, id: i64) -> Result<Option<Payment>, StoreError> {
        find_one(&format!("select {PAYMENT} from payments where id = $1::bigint"), id.into(), row::payment).await
    }

    async fn find_by_order(&self, order_id: i64) -> Result<Option<Payment>, StoreError> {
        let statement = format!("select {PAYMENT} from payments where order_id = $1::bigint");
        find_one(&statement, order_id.into(), row::payment).await
    }

    async fn list(&self, filter: &Filter) -> Result<Vec<Payment>, StoreError> {
        let mut params: Vec<ParameterValue> = vec![
            filter.after.map(|place| moment(place.created_at)).unwrap_or(ParameterValue::DbNull),
            filter.after.map(|place| place.id).into(),
            filter.limit.into(),
        ];
        let of_user = and_equal(&mut params, "user_id", "bigint", filter.user_id);
        let of_order = and_equal(&mut params, "order_id", "bigint", filter.order_id);
        // By itself: of a young table the server believes that it soon meets the order's among all of the customer's.
        let fence = if of_order.is_empty() { "" } else { "offset 0" };
        let statement = format!(
            "select {PAYMENT} from (select * from payments where true{of_order} {fence}) as payments
            where (payments.created_at, id) < (coalesce($1::timestamp at time zone 'UTC', 'infinity'),
                coalesce($2::bigint, 0)) {of_user}
            order by payments.created_at desc, id desc limit $3::bigint"
        );
        Ok(all(&DATABASE.rows(&statement, params).await?, row::payment)?)
    }

    async fn open(&self, event_id: &str, payment: &NewPayment) -> Result<(), StoreError> {
        let status = if payment.order_cancelled { Status::Cancelled } else { Status::RequiresPayment };
        let params = vec![
            text(event_id),
            payment.order_id.into(),
            payment.user_id.into(),
            payment.amount.minor().into(),
            text(&payment.currency),
            text(status.word()),
            payment.order_cancelled.into(),
            payment.traceparent.clone().into(),
        ];
        DATABASE.execute(OPEN, params).await?;
        Ok(())
    }

    async fn has_seen(&self, event_id: &str) -> Result<bool, StoreError> {
        let statement = "select 1 as seen from inbox where event_id = $1::text";
        Ok(DATABASE.row(statement, vec![text(event_id)]).await?.is_some())
    }

    async fn attempt(&self, payment_id: i64, number: i64) -> Result<Option<Attempt>, StoreError> {
        let statement = format!("select {ATTEMPT} from attempts where payment_id = $1::bigint and number = $2::bigint");
        let row = DATABASE.row(&statement, vec![payment_id.into(), number.into()]).await?;
        Ok(row.as_ref().map(row::attempt).transpose()?)
    }

    async fn attempt_by_key(&self, key: &str) -> Result<Option<Attempt>, StoreError> {
        find_one(&format!("select {ATTEMPT} from attempts where key = $1::text"), text(key), row::attempt).await
    }

    async fn refund(&self, id: i64) -> Result<Option<Refund>, StoreError> {
        find_one(&format!("select {REFUND} from refunds where id = $1::bigint"), id.into(), row::refund).await
    }

    async fn refund_by_key(&self, key: &str) -> Result<Option<Refund>, StoreError> {
        find_one(&format!("select {REFUND} from refunds where key = $1::text"), text(key), row::refund).await
    }

    async fn write(&self, write: &Write) -> Result<Written, StoreError> {
        store(write, None, None).await
    }
}

impl Keyed for World {
    type Answer = Answer;

    async fn write_answered(&self, write: &Write, answer: Option<&Answer>) -> Result<Written, StoreError> {
        store(write, Some(self.held()?), answer).await
    }

    async fn answer(&self, answer: &Answer) -> Result<bool, StoreError> {
        Ok(self.held()?.store(&DATABASE, answer).await?)
    }

    async fn release(&self) -> Result<(), StoreError> {
        Ok(self.held()?.release(&DATABASE).await?)
    }
}

impl Chores for World {
    async fn attempt_due(&self, provider: &str) -> Result<Option<Attempt>, StoreError> {
        // The pause of one whose customer must act is its age, so that it doubles.
        let statement = format!(
            "update attempts set look_at = now() + case
                when action_url is null then interval '10 seconds'
                else least(interval '5 minutes', greatest(interval '10 seconds', now() - created_at)) end
            where key = (
                select key from attempts where state = 'open' and look_at <= now() and provider = $1::text
                order by look_at limit 1 for update skip locked)
            returning {ATTEMPT}"
        );
        find_one(&statement, text(provider), row::attempt).await
    }

    async fn refund_due(&self) -> Result<Option<Refund>, StoreError> {
        let statement = format!(
            "update refunds set tries = tries + 1,
                next_try_at = now() + least(300, 5 * power(2, least(tries, 10))) * interval '1 second'
            where id = (
                select id from refunds where state = 'pending' and next_try_at <= now()
                order by next_try_at limit 1 for update skip locked)
            returning {REFUND}"
        );
        let row = DATABASE.row(&statement, Vec::new()).await?;
        Ok(row.as_ref().map(row::refund).transpose()?)
    }

    async fn forget_the_old(&self) -> Result<(), StoreError> {
        idempotency::forget(&DATABASE).await?;
        inbox::forget(&DATABASE).await?;
        Ok(())
    }
}

impl World {
    fn held(&self) -> Result<&Lease<KeyIds>, StoreError> {
        self.lease.as_ref().ok_or_else(|| StoreError::lasting("this request holds no idempotency key"))
    }
}

async fn find_one<T>(
    statement: &str,
    name: ParameterValue,
    read: impl Fn(&Row) -> Result<T, SqlError>,
) -> Result<Option<T>, StoreError> {
    let row = DATABASE.row(statement, vec![name]).await?;
    Ok(row.as_ref().map(read).transpose()?)
}
