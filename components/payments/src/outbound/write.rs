//! A change of a payment, stored in one statement.

use kit::idempotency::{Answer, Lease};
use kit::sql::{ParameterValue, jsonb, moment, text};

use super::{DATABASE, KeyIds};
use crate::domain::event::{TOPIC, key};
use crate::domain::ports::StoreError;
use crate::domain::write::{Write, Written};

/// A change of a payment with all that may belong to it; what does not is null. The payment's row is locked by its
/// update before the event gets its place in the outbox, so that the events of one payment stand there in the order
/// of its versions. An attempt whose customer is to act for an order that is cancelled is due at once, to be withdrawn.
/// What begins under an idempotency key begins only while the key is held ($37); how something ended is stored in any
/// case.
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
    insert into attempts (payment_id, number, key, provider, token, state, traceparent)
    select id, $12::bigint, $13::text, $14::text, $15::text, 'open', $30::text from moved where $12::bigint is not null
), marked as (
    update attempts set state = $17::text, result = coalesce($18::text, attempts.result), action_url = $19::text,
        token = case when $17::text = 'open' then attempts.token end
    from moved where attempts.payment_id = moved.id and attempts.number = $16::bigint
), hurried as (
    update attempts set look_at = now() from moved
    where $8::boolean and $16::bigint is null and attempts.payment_id = moved.id and attempts.state = 'open'
        and attempts.action_url is not null
), promised as (
    insert into refunds (id, payment_id, key, amount_minor, reason, state, traceparent)
    select coalesce($20::bigint, nextval('refund_number')), id, $21::text, $22::bigint, $23::text, 'pending', $30::text
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

/// Stores the change with all that belongs to it, and the answer, unless the payment moved on meanwhile.
pub async fn store(
    write: &Write,
    lease: Option<&Lease<KeyIds>>,
    answer: Option<&Answer>,
) -> Result<Written, StoreError> {
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
