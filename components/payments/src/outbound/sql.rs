//! Payments in Postgres. Every change is one statement that takes effect as a whole or not at all.

use kit::idempotency::{self, Answer, Lease};
use kit::sql::{Database, ParameterValue, Row, SqlError, jsonb, moment};

use super::row::{self, ATTEMPT, PAYMENT, REFUND};
use super::{KeyIds, World};
use crate::domain::attempt::Attempt;
use crate::domain::event::{TOPIC, key};
use crate::domain::payment::{Payment, Status};
use crate::domain::ports::{Chores, Filter, Keyed, NewPayment, Payments, StoreError};
use crate::domain::refund::Refund;
use crate::domain::write::{Write, Written};

/// The service's own database.
pub const DATABASE: Database = Database::at("payments_database_url");

const OPEN: &str = "
with seen as (
    insert into inbox (event_id) values ($1::text) on conflict do nothing returning 1
)
insert into payments (order_id, user_id, amount_minor, currency, status, order_cancelled)
select $2::bigint, $3::bigint, $4::bigint, $5::text, $6::text, $7::boolean from seen
on conflict (order_id) do nothing";

/// A change of a payment with all that may belong to it; what does not is null. The payment's row is locked by its
/// update before the event gets its place in the outbox, so that the events of one payment stand there in the order
/// of its versions. What begins under an idempotency key begins only while the key is held ($37); how something ended
/// is stored in any case.
const WRITE: &str = "
with held as (
    select 1 from idempotency_keys
    where user_id = $32::bigint and route = $33::text and key = $34::text and lease = $35::uuid and answer is null
    for update
), moved as (
    update payments set status = $3::text, provider = $4::text, charge_id = $5::text, attempts = $6::bigint,
        declines = $7::bigint, order_cancelled = $8::boolean, refunding_minor = $9::bigint,
        refunded_minor = $10::bigint, version = version + 1, updated_at = $11::timestamp at time zone 'UTC'
    where id = $1::bigint and version = $2::bigint and (not $37::boolean or exists (select 1 from held))
    returning id
), opened as (
    insert into attempts (payment_id, number, key, provider, token, state)
    select id, $12::bigint, $13::text, $14::text, $15::text, 'open' from moved where $12::bigint is not null
), marked as (
    update attempts set state = $17::text, result = coalesce($18::text, attempts.result), action_url = $19::text,
        token = case when $17::text = 'open' then attempts.token end
    from moved where attempts.payment_id = moved.id and attempts.number = $16::bigint
), promised as (
    insert into refunds (id, payment_id, key, amount_minor, reason, state)
    select coalesce($20::bigint, nextval('refund_number')), id, $21::text, $22::bigint, $23::text, 'pending'
    from moved where $21::text is not null
), settled as (
    update refunds set state = $25::text, result = $26::text, updated_at = now()
    from moved where refunds.id = $24::bigint and refunds.payment_id = moved.id
), told as (
    insert into outbox (topic, key, type, data, traceparent)
    select $38::text, $29::text, $27::text, $28::jsonb, $30::text from moved where $27::text is not null
), remembered as (
    insert into inbox (event_id) select $31::text from moved where $31::text is not null
), kept as (
    update idempotency_keys as k set answer = coalesce($36::jsonb, k.answer),
        ids = case when $12::bigint is null then k.ids
            else k.ids || jsonb_build_object('attempt', $12::bigint) end
    from moved
    where k.user_id = $32::bigint and k.route = $33::text and k.key = $34::text and k.lease = $35::uuid
        and k.answer is null
    returning 1
)
select (select count(*) from moved) as moved, (select count(*) from kept) as kept";

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
        // Conditions of their own, not `$4 is null or …`, so that the indexes serve them.
        let mut conditions = String::new();
        for (column, value) in [("user_id", filter.user_id), ("order_id", filter.order_id)] {
            if let Some(value) = value {
                params.push(value.into());
                conditions.push_str(&format!(" and {column} = ${}::bigint", params.len()));
            }
        }
        let statement = format!(
            "select {PAYMENT} from payments
            where (payments.created_at, id) < (coalesce($1::timestamp at time zone 'UTC', 'infinity'),
                coalesce($2::bigint, 0)) {conditions}
            order by payments.created_at desc, id desc limit $3::bigint"
        );
        Ok(all(DATABASE.rows(&statement, params).await?, row::payment)?)
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
    async fn attempts_due(&self, limit: i64) -> Result<Vec<Attempt>, StoreError> {
        let statement = format!(
            "update attempts set look_at = now() + interval '10 seconds'
            where key = any (array(
                select key from attempts where state = 'open' and look_at <= now()
                order by look_at limit $1::bigint for update skip locked))
            returning {ATTEMPT}"
        );
        Ok(all(DATABASE.rows(&statement, vec![limit.into()]).await?, row::attempt)?)
    }

    async fn sent_again(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let statement = "update attempts set sent_at = now() where key = $1::text";
        DATABASE.execute(statement, vec![text(&attempt.key)]).await?;
        Ok(())
    }

    async fn refunds_due(&self, limit: i64) -> Result<Vec<Refund>, StoreError> {
        let statement = format!(
            "update refunds set tries = tries + 1,
                next_try_at = now() + least(300, 5 * power(2, least(tries, 10))) * interval '1 second'
            where id = any (array(
                select id from refunds where state = 'pending' and next_try_at <= now()
                order by next_try_at limit $1::bigint for update skip locked))
            returning {REFUND}"
        );
        Ok(all(DATABASE.rows(&statement, vec![limit.into()]).await?, row::refund)?)
    }

    async fn forget_the_old(&self) -> Result<(), StoreError> {
        idempotency::forget(&DATABASE).await?;
        let statement = "delete from inbox where event_id = any (array(
            select event_id from inbox where received_at < now() - interval '30 days' limit 1000))";
        DATABASE.execute(statement, Vec::new()).await?;
        Ok(())
    }
}

impl World {
    fn held(&self) -> Result<&Lease<KeyIds>, StoreError> {
        self.lease.as_ref().ok_or_else(|| StoreError::lasting("this request holds no idempotency key"))
    }
}

async fn store(write: &Write, lease: Option<&Lease<KeyIds>>, answer: Option<&Answer>) -> Result<Written, StoreError> {
    let row = match DATABASE.one(WRITE, parameters(write, lease, answer)).await {
        // The same event or webhook was taken in by another delivery since it was looked for.
        Err(error) if error.is_constraint("inbox_pkey") => return Ok(Written::Outrun),
        row => row?,
    };
    if row.get::<i64>("moved")? == 0 {
        return Ok(Written::Outrun);
    }
    Ok(Written::Done { answered: row.get::<i64>("kept")? > 0 })
}

/// $1 to $38 of [`WRITE`].
fn parameters(write: &Write, lease: Option<&Lease<KeyIds>>, answer: Option<&Answer>) -> Vec<ParameterValue> {
    let (payment, opens, marks) = (&write.payment, write.opens.as_ref(), write.marks.as_ref());
    let (promises, settles, event) = (write.promises.as_ref(), write.settles.as_ref(), write.event.as_ref());
    let mut parameters: Vec<ParameterValue> = vec![
        payment.id.into(),
        (payment.version - 1).into(),
        text(payment.status.word()),
        payment.provider.clone().into(),
        payment.charge_id.clone().into(),
        payment.attempts.into(),
        payment.declines.into(),
        payment.order_cancelled.into(),
        payment.refunding.minor().into(),
        payment.refunded.minor().into(),
        moment(payment.updated_at),
        opens.map(|new| new.number).into(),
        opens.map(|new| new.key.clone()).into(),
        opens.map(|new| new.provider.clone()).into(),
        opens.map(|new| new.token.expose().to_owned()).into(),
        marks.map(|mark| mark.number).into(),
        marks.map(|mark| mark.state.word().to_owned()).into(),
        marks.and_then(|mark| mark.result.clone()).into(),
        marks.and_then(|mark| mark.action_url.clone()).into(),
        promises.and_then(|refund| refund.id).into(),
        promises.map(|refund| refund.key.clone()).into(),
        promises.map(|refund| refund.amount.minor()).into(),
        promises.map(|refund| refund.reason.clone()).into(),
        settles.map(|settled| settled.id).into(),
        settles.map(|settled| if settled.succeeded { "succeeded" } else { "failed" }.to_owned()).into(),
        settles.map(|settled| settled.result.clone()).into(),
        event.map(|event| event.kind.to_owned()).into(),
        event.map_or(ParameterValue::DbNull, |event| ParameterValue::Jsonb(event.data.clone().into_bytes())),
        key(payment.order_id).into(),
        write.traceparent.clone().into(),
        write.cause.clone().into(),
    ];
    parameters.extend(lease.map_or_else(|| vec![ParameterValue::DbNull; 4], Lease::params));
    parameters.push(answer.map_or(ParameterValue::DbNull, jsonb));
    let begins = opens.is_some() || promises.is_some_and(|refund| refund.id.is_some());
    parameters.push((begins && lease.is_some()).into());
    parameters.push(text(TOPIC));
    parameters
}

async fn find_one<T>(
    statement: &str,
    name: ParameterValue,
    read: impl Fn(&Row) -> Result<T, SqlError>,
) -> Result<Option<T>, StoreError> {
    let row = DATABASE.row(statement, vec![name]).await?;
    Ok(row.as_ref().map(read).transpose()?)
}

fn all<T>(rows: Vec<Row>, read: impl Fn(&Row) -> Result<T, SqlError>) -> Result<Vec<T>, SqlError> {
    rows.iter().map(read).collect()
}

fn text(value: &str) -> ParameterValue {
    value.to_owned().into()
}
