//! Orders in Postgres. Every change is one statement that takes effect as a whole or not at all.

use kit::idempotency::{self, Answer, Lease};
use kit::inbox;
use kit::sql::{Database, ParameterValue, SqlError, all, and_equal, jsonb, moment, text, uuid};

use super::row::{self, SELECT};
use super::{KeyIds, World};
use crate::domain::change::Step;
use crate::domain::event::{ORDER_CREATED, OrderData, TOPIC, key};
use crate::domain::order::{Order, Past};
use crate::domain::ports::{Filter, Orders, Placement, StoreError};

/// The service's own database.
pub const DATABASE: Database = Database::at("orders_database_url");

/// Who has lost the lease of the key stores nothing.
const PLACE: &str = "
with claim as (
    update idempotency_keys set answer = $5::jsonb
    where user_id = $1::bigint and route = $2::text and key = $3::text and lease = $4::uuid and answer is null
    returning 1 as held
), placed as (
    insert into orders (id, user_id, reservation_id, status, total_minor, currency, version, created_at, updated_at,
        expires_at)
    select $6::bigint, $1::bigint, $7::uuid, 'pending', $8::bigint, $9::text, 1, $10::timestamp at time zone 'UTC',
        $10::timestamp at time zone 'UTC', $11::timestamp at time zone 'UTC'
    from claim
    returning id, user_id, created_at
), lines as (
    insert into order_lines (order_id, product_id, quantity, name, price_minor)
    select placed.id, line.product_id, line.quantity, line.name, line.price_minor
    from placed, unnest($12::bigint[], $13::bigint[], $14::text[], $15::bigint[])
        as line (product_id, quantity, name, price_minor)
), past as (
    insert into order_history (order_id, version, status, actor, changed_at)
    select id, 1, 'pending', 'user:' || user_id, created_at from placed
), told as (
    insert into outbox (topic, key, type, data, traceparent)
    select $16::text, $17::text, $18::text, $19::jsonb, $20::text from placed
)
select count(*) as changed from placed";

/// The row lock of the update is taken before the event gets its place in the outbox, so that the events of one order
/// stand there in the order of its versions.
const SAVE: &str = "
with moved as (
    update orders set status = $4::text, reason = $5::text, version = version + 1,
        updated_at = $6::timestamp at time zone 'UTC', carrier = $7::text, tracking = $8::text
    where id = $1::bigint and version = $2::bigint and status = $3::text
    returning id, version, status, reason, updated_at
), past as (
    insert into order_history (order_id, version, status, reason, actor, changed_at)
    select id, version, status, reason, $9::text, updated_at from moved
), remembered as (
    insert into inbox (event_id) select $10::text from moved where $10::text is not null
), told as (
    insert into outbox (topic, key, type, data, traceparent)
    select $11::text, $12::text, $13::text, $14::jsonb, $15::text from moved
)
select count(*) as changed from moved";

/// Whether no event has been waiting for more than five seconds.
pub async fn events_flow() -> Result<bool, SqlError> {
    let statement = "select not exists (
        select from outbox where published_at is null and created_at < now() - interval '5 seconds') as flow";
    DATABASE.one(statement, Vec::new()).await?.get("flow")
}

impl Orders for World {
    async fn find(&self, id: i64) -> Result<Option<Order>, StoreError> {
        let row = DATABASE.row(&format!("{SELECT} where o.id = $1::bigint"), vec![id.into()]).await?;
        Ok(row.as_ref().map(row::order).transpose()?)
    }

    async fn list(&self, filter: &Filter) -> Result<Vec<Order>, StoreError> {
        let mut params: Vec<ParameterValue> = vec![
            filter.after.map(|place| moment(place.created_at)).unwrap_or(ParameterValue::DbNull),
            filter.after.map(|place| place.id).into(),
            filter.limit.into(),
        ];
        let of_user = and_equal(&mut params, "o.user_id", "bigint", filter.user_id);
        // Of one customer's orders some are picked out, by no index: that by status has everybody's.
        let status = if filter.user_id.is_some() { "o.status || ''" } else { "o.status" };
        let in_status = and_equal(&mut params, status, "text", filter.status.map(|status| text(status.word())));
        let statement = format!(
            "{SELECT} where (o.created_at, o.id) < (coalesce($1::timestamp at time zone 'UTC', 'infinity'),
                coalesce($2::bigint, 0)) {of_user}{in_status}
            order by o.created_at desc, o.id desc limit $3::bigint"
        );
        Ok(all(&DATABASE.rows(&statement, params).await?, row::order)?)
    }

    async fn history(&self, id: i64) -> Result<Vec<Past>, StoreError> {
        let statement = "select version, status, reason, actor, changed_at at time zone 'UTC' as changed_at
            from order_history where order_id = $1::bigint order by version";
        Ok(all(&DATABASE.rows(statement, vec![id.into()]).await?, row::past)?)
    }

    async fn save(&self, step: &Step) -> Result<bool, StoreError> {
        let order = &step.order;
        let params = vec![
            order.id.into(),
            (order.version - 1).into(),
            text(step.from.word()),
            text(order.status.word()),
            order.reason.map(|reason| reason.word().to_owned()).into(),
            moment(order.updated_at),
            order.shipment.as_ref().map(|shipment| shipment.carrier.clone()).into(),
            order.shipment.as_ref().map(|shipment| shipment.tracking.clone()).into(),
            step.actor.name().into(),
            step.cause.clone().into(),
            text(TOPIC),
            key(order.id).into(),
            text(step.event_type),
            jsonb(&OrderData::of(order)),
            self.traceparent.clone().into(),
        ];
        match changed(SAVE, params).await {
            // The same event was taken in by another delivery since it was looked for.
            Err(error) if error.is_constraint("inbox_pkey") => Ok(false),
            changed => Ok(changed?),
        }
    }

    async fn has_seen(&self, event_id: &str) -> Result<bool, StoreError> {
        let statement = "select 1 as seen from inbox where event_id = $1::text";
        Ok(DATABASE.row(statement, vec![text(event_id)]).await?.is_some())
    }

    async fn remember(&self, event_id: &str) -> Result<(), StoreError> {
        let statement = "insert into inbox (event_id) values ($1::text) on conflict do nothing";
        DATABASE.execute(statement, vec![text(event_id)]).await?;
        Ok(())
    }

    async fn overdue(&self, limit: i64) -> Result<Vec<i64>, StoreError> {
        let statement = "select id from orders where status = 'pending' and expires_at <= now()
            order by expires_at limit $1::bigint";
        Ok(all(&DATABASE.rows(statement, vec![limit.into()]).await?, |row| row.get("id"))?)
    }

    async fn forget_the_old(&self) -> Result<(), StoreError> {
        idempotency::forget(&DATABASE).await?;
        inbox::forget(&DATABASE).await?;
        Ok(())
    }
}

impl Placement for World {
    type Answer = Answer;

    async fn place(&self, order: &Order, answer: &Answer) -> Result<bool, StoreError> {
        let lines = &order.lines;
        let mut params = self.held()?.params();
        params.extend([
            jsonb(answer),
            order.id.into(),
            uuid(&order.reservation_id),
            order.total.minor().into(),
            text(&order.currency),
            moment(order.created_at),
            moment(order.expires_at),
            lines.iter().map(|line| line.product_id).collect::<Vec<i64>>().into(),
            lines.iter().map(|line| line.quantity).collect::<Vec<i64>>().into(),
            lines.iter().map(|line| line.name.clone()).collect::<Vec<String>>().into(),
            lines.iter().map(|line| line.price.minor()).collect::<Vec<i64>>().into(),
            text(TOPIC),
            key(order.id).into(),
            text(ORDER_CREATED),
            jsonb(&OrderData::of(order)),
            self.traceparent.clone().into(),
        ]);
        Ok(changed(PLACE, params).await?)
    }

    async fn refuse(&self, answer: &Answer) -> Result<bool, StoreError> {
        Ok(self.held()?.store(&DATABASE, answer).await?)
    }

    async fn release(&self) -> Result<(), StoreError> {
        Ok(self.held()?.release(&DATABASE).await?)
    }
}

impl World {
    fn held(&self) -> Result<&Lease<KeyIds>, StoreError> {
        self.lease.as_ref().ok_or_else(|| StoreError::lasting("this request holds no idempotency key"))
    }
}

async fn changed(statement: &str, params: Vec<ParameterValue>) -> Result<bool, SqlError> {
    let row = DATABASE.one(statement, params).await?;
    Ok(row.get::<i64>("changed")? > 0)
}
