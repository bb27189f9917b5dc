//! Reservations. Every statement locks the products in the order of their ids before it touches a reservation's row,
//! and whoever has that row waits for nothing more: no two of them can wait for one another.
//!
//! A statement reads by a snapshot from its beginning, but sees a row as it is now once it has locked it (PostgreSQL
//! manual, 13.2.1). So amounts come from locked products only, a reservation's status is decided by a conditional
//! UPDATE, and its products and quantities may come from the snapshot, since they never change once they are there.

use kit::{
    Failure, Money,
    sql::{Row, SqlError, uuid},
};

use super::{DATABASE, told};
use crate::domain::reservation::{Attempt, Line, Reservation, Reservations, ReservedLine, Shortage, Status};

/// Reservations that lapse in one statement.
const LAPSE_BATCH: i64 = 100;

/// $1 reservation, $2 product ids, $3 quantities in the same order, $4 seconds, $5 to $7 as in [`told`], $8 traceparent. The arrays are not unnested and joined:
/// that plans badly, where `= any` is a plain index scan. A lapsed reservation is taken anew with the lines that it had.
const TAKE: &str = "
with locked as materialized (
    select id, name, price_minor, currency, on_hand - reserved as available,
        ($3::bigint[])[array_position($2::bigint[], id)] as quantity
    from products
    where id = any($2::bigint[]) and active
    order by id
    for update
), verdict as (
    select count(*) = cardinality($2::bigint[]) and bool_and(available >= quantity) as sound from locked
), same as materialized (
    select count(*) = cardinality($2::bigint[])
        and bool_and(coalesce(quantity = ($3::bigint[])[array_position($2::bigint[], product_id)], false)) as lines
    from reservation_lines where reservation_id = $1::uuid
), claimed as (
    insert into reservations as r (id, status, expires_at)
    select $1::uuid, 'held', now() + $4::bigint * interval '1 second' from verdict where sound
    on conflict (id) do update set status = 'held', expires_at = excluded.expires_at, settled_at = null
        where r.status = 'lapsed' and exists (select from same where lines)
    returning id
), stored as (
    insert into reservation_lines (reservation_id, product_id, quantity, name, price_minor, currency)
    select claimed.id, locked.id, quantity, name, price_minor, currency from claimed, locked
    on conflict (reservation_id, product_id) do update set
        name = excluded.name, price_minor = excluded.price_minor, currency = excluded.currency
), taken as (
    update products p
    set reserved = p.reserved + ($3::bigint[])[array_position($2::bigint[], p.id)]
    from claimed
    where p.id = any($2::bigint[])
), told as (
    insert into outbox (topic, key, type, data, traceparent)
    select $5::text, 'product-' || locked.id, $6::text,
        jsonb_build_object('productId', locked.id, 'name', locked.name, 'stock', available - quantity, 'version', 1),
        $8::text
    from claimed, locked
    where available >= $7::bigint and available - quantity < $7::bigint
)
select id as product_id, quantity, name, price_minor, currency, available,
    exists (select from claimed) as taken
from locked
order by id";

/// It locks the reservation's row alone, and waits for nothing more.
const PROLONG: &str = "
update reservations set expires_at = greatest(expires_at, now() + $2::bigint * interval '1 second')
where id = $1::uuid and status = 'held'";

const FIND: &str = "
select r.status, l.product_id, l.quantity, l.name, l.price_minor, l.currency
from reservations r left join reservation_lines l on l.reservation_id = r.id
where r.id = $1::uuid
order by l.product_id";

const COMMIT_HELD: &str = "
with line as materialized (
    select product_id, quantity from reservation_lines where reservation_id = $1::uuid
), locked as materialized (
    select id from products where id = any(array(select product_id from line)) order by id for update
), settled as (
    update reservations r set status = 'committed', settled_at = now()
    from (select count(*) as products from locked) as after_locking
    where r.id = $1::uuid and r.status = 'held' and after_locking.products > 0
    returning r.id
), gone as (
    update products p set on_hand = p.on_hand - line.quantity, reserved = p.reserved - line.quantity
    from settled, line
    where p.id = any(array(select product_id from line)) and p.id = line.product_id
), noted as (
    insert into movements (product_id, delta, reason, reservation_id)
    select line.product_id, -line.quantity, 'sold', settled.id from settled, line
)
select exists (select from settled) as settled";

/// $1 reservation, $2 to $4 as in [`told`], $5 traceparent. Archived products too: what was sold while they were on offer has been paid for.
const COMMIT_LAPSED: &str = "
with line as materialized (
    select product_id, quantity from reservation_lines where reservation_id = $1::uuid
), locked as materialized (
    select id, name, on_hand - reserved as available from products
    where id = any(array(select product_id from line)) order by id for update
), wanted as materialized (
    select line.product_id, line.quantity, locked.available, locked.name from line join locked on locked.id = line.product_id
), settled as (
    update reservations r set status = 'committed', settled_at = now()
    from (select bool_and(available >= quantity) as sound from wanted) as verdict
    where r.id = $1::uuid and r.status = 'lapsed' and verdict.sound
    returning r.id
), gone as (
    update products p set on_hand = p.on_hand - line.quantity
    from settled, line
    where p.id = any(array(select product_id from line)) and p.id = line.product_id
), noted as (
    insert into movements (product_id, delta, reason, reservation_id)
    select line.product_id, -line.quantity, 'sold', settled.id from settled, line
), told as (
    insert into outbox (topic, key, type, data, traceparent)
    select $2::text, 'product-' || wanted.product_id, $3::text,
        jsonb_build_object('productId', wanted.product_id, 'name', wanted.name, 'stock', available - quantity,
            'version', 1), $5::text
    from settled, wanted
    where available >= $4::bigint and available - quantity < $4::bigint
)
select product_id, quantity, available, exists (select from settled) as settled from wanted order by product_id";

/// $2 is the event that demands it, or null. The status before decides what is given back; it is read under the row's
/// lock, so it is the one that the update replaces.
const UNDO: &str = "
with received as (
    insert into inbox (event_id) select $2::uuid where $2::uuid is not null on conflict do nothing
), line as materialized (
    select product_id, quantity from reservation_lines where reservation_id = $1::uuid
), locked as materialized (
    select id from products where id = any(array(select product_id from line)) order by id for update
), before as materialized (
    select r.id, r.status
    from (select count(*) as products from locked) as after_locking, reservations r
    where r.id = $1::uuid and r.status <> 'undone' and after_locking.products >= 0
    for update of r
), undone as (
    update reservations r set status = 'undone', settled_at = now()
    from before
    where r.id = before.id
    returning r.id
), remembered as (
    insert into reservations (id, status, expires_at, settled_at)
    select $1::uuid, 'undone', now(), now()
    where not exists (select from reservations where id = $1::uuid)
    on conflict do nothing
    returning id
), given_back as (
    update products p set
        on_hand = p.on_hand + case before.status when 'committed' then line.quantity else 0 end,
        reserved = p.reserved - case before.status when 'held' then line.quantity else 0 end
    from before, line
    where before.status in ('held', 'committed')
        and p.id = any(array(select product_id from line)) and p.id = line.product_id
), noted as (
    insert into movements (product_id, delta, reason, reservation_id)
    select line.product_id, line.quantity, 'returned', before.id from before, line
    where before.status = 'committed'
)
select exists (select from undone) or exists (select from remembered) as settled";

const LAPSE: &str = "
with due as materialized (
    select id from reservations where status = 'held' and expires_at <= now() order by expires_at limit $1::bigint
), line as materialized (
    select reservation_id, product_id, quantity from reservation_lines
    where reservation_id = any(array(select id from due))
), locked as materialized (
    select id from products where id = any(array(select product_id from line)) order by id for update
), lapsed as (
    update reservations r set status = 'lapsed', settled_at = now()
    from due, (select count(*) as products from locked) as after_locking
    where r.id = due.id and r.status = 'held' and r.expires_at <= now() and after_locking.products >= 0
    returning r.id
), freed as materialized (
    select line.product_id, sum(line.quantity)::bigint as quantity
    from line join lapsed on lapsed.id = line.reservation_id
    group by line.product_id
), given_back as (
    update products p set reserved = p.reserved - freed.quantity
    from freed
    where p.id = any(array(select product_id from line)) and p.id = freed.product_id
)
select count(*) as lapsed from lapsed";

/// The reservations in [`DATABASE`], for one change.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The trace that the change is part of; events that come of it carry it on.
    pub traceparent: Option<String>,
}

impl Reservations for Ledger {
    async fn take(&self, id: &str, lines: &[Line], hold_s: u32) -> Result<Attempt, Failure> {
        let products: Vec<i64> = lines.iter().map(|line| line.product_id).collect();
        let quantities: Vec<i64> = lines.iter().map(|line| line.quantity).collect();
        let mut params = vec![uuid(id), products.into(), quantities.into(), i64::from(hold_s).into()];
        params.extend(told());
        params.push(self.traceparent.clone().into());
        let rows = DATABASE.rows(TAKE, params).await?;
        let mut attempt = Attempt { taken: false, found: Vec::with_capacity(rows.len()) };
        for row in &rows {
            attempt.taken = row.get("taken")?;
            attempt.found.push((line(row)?, row.get("available")?));
        }
        Ok(attempt)
    }

    async fn prolong(&self, id: &str, hold_s: u32) -> Result<bool, Failure> {
        let prolonged = DATABASE.execute(PROLONG, vec![uuid(id), i64::from(hold_s).into()]).await?;
        Ok(prolonged > 0)
    }

    async fn find(&self, id: &str) -> Result<Option<Reservation>, Failure> {
        let rows = DATABASE.rows(FIND, vec![uuid(id)]).await?;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let status = status(&first.get::<String>("status")?)?;
        let mut lines = Vec::with_capacity(rows.len());
        for row in &rows {
            if row.get::<Option<i64>>("product_id")?.is_some() {
                lines.push(line(row)?);
            }
        }
        Ok(Some(Reservation { status, lines }))
    }

    async fn commit_held(&self, id: &str) -> Result<bool, Failure> {
        let row = DATABASE.one(COMMIT_HELD, vec![uuid(id)]).await?;
        Ok(row.get("settled")?)
    }

    async fn commit_lapsed(&self, id: &str) -> Result<Result<(), Vec<Shortage>>, Failure> {
        let mut params = vec![uuid(id)];
        params.extend(told());
        params.push(self.traceparent.clone().into());
        let rows = DATABASE.rows(COMMIT_LAPSED, params).await?;
        let mut short = Vec::new();
        for row in &rows {
            if row.get("settled")? {
                return Ok(Ok(()));
            }
            let shortage = Shortage {
                product_id: row.get("product_id")?,
                wanted: row.get("quantity")?,
                available: row.get("available")?,
            };
            if shortage.available < shortage.wanted {
                short.push(shortage);
            }
        }
        Ok(Err(short))
    }

    async fn undo(&self, id: &str, event: Option<&str>) -> Result<bool, Failure> {
        let params = vec![uuid(id), event.map_or(kit::sql::ParameterValue::DbNull, uuid)];
        let row = DATABASE.one(UNDO, params).await?;
        Ok(row.get("settled")?)
    }
}

/// Frees what reservations hold whose time is over; answers how many, at most `LAPSE_BATCH`. For the tick.
pub async fn lapse() -> Result<Lapsed, SqlError> {
    let row = DATABASE.one(LAPSE, vec![LAPSE_BATCH.into()]).await?;
    let count: i64 = row.get("lapsed")?;
    Ok(Lapsed { more: count >= LAPSE_BATCH })
}

/// What [`lapse`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lapsed {
    /// Whether there may be more to do at once.
    pub more: bool,
}

fn line(row: &Row) -> Result<ReservedLine, SqlError> {
    Ok(ReservedLine {
        product_id: row.get("product_id")?,
        quantity: row.get("quantity")?,
        name: row.get("name")?,
        price: Money::from_minor(row.get("price_minor")?),
        currency: row.get("currency")?,
    })
}

fn status(name: &str) -> Result<Status, Failure> {
    match name {
        "held" => Ok(Status::Held),
        "lapsed" => Ok(Status::Lapsed),
        "committed" => Ok(Status::Committed),
        "undone" => Ok(Status::Undone),
        other => Err(Failure::lasting(format!("a reservation has the unknown status {other}"))),
    }
}
