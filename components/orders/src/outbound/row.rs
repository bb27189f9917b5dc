//! Rows of the database, read as what they stand for.

use kit::Money;
use kit::sql::{Row, SqlError};

use crate::domain::line::Line;
use crate::domain::order::{Order, Past, Shipment};
use crate::domain::status::{Reason, Status};

/// An order with its lines as arrays, so that it is one row.
pub const SELECT: &str = "
select o.id, o.user_id, o.reservation_id, o.status, o.reason, o.total_minor, o.currency, o.version, o.carrier,
    o.tracking, o.created_at at time zone 'UTC' as created_at, o.updated_at at time zone 'UTC' as updated_at,
    o.expires_at at time zone 'UTC' as expires_at, l.product_ids, l.quantities, l.names, l.prices
from orders o cross join lateral (
    select array_agg(product_id order by product_id) as product_ids,
        array_agg(quantity order by product_id) as quantities, array_agg(name order by product_id) as names,
        array_agg(price_minor order by product_id) as prices
    from order_lines where order_id = o.id) l";

/// The order in this row.
pub fn order(row: &Row) -> Result<Order, SqlError> {
    Ok(Order {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        reservation_id: row.get("reservation_id")?,
        lines: lines(row)?,
        status: status(row)?,
        reason: reason(row)?,
        total: Money::from_minor(row.get("total_minor")?),
        currency: row.get("currency")?,
        version: row.get("version")?,
        shipment: shipment(row)?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        expires_at: row.get("expires_at")?,
    })
}

fn lines(row: &Row) -> Result<Vec<Line>, SqlError> {
    let ids: Vec<i64> = row.get("product_ids")?;
    let quantities: Vec<i64> = row.get("quantities")?;
    let names: Vec<String> = row.get("names")?;
    let prices: Vec<i64> = row.get("prices")?;
    let columns = ids.into_iter().zip(quantities).zip(names).zip(prices);
    let lines = columns.map(|(((product_id, quantity), name), price_minor)| Line {
        product_id,
        quantity,
        name,
        price: Money::from_minor(price_minor),
    });
    Ok(lines.collect())
}

/// The step in this row.
pub fn past(row: &Row) -> Result<Past, SqlError> {
    Ok(Past {
        version: row.get("version")?,
        status: status(row)?,
        reason: reason(row)?,
        actor: row.get("actor")?,
        changed_at: row.get("changed_at")?,
    })
}

fn status(row: &Row) -> Result<Status, SqlError> {
    let word: String = row.get("status")?;
    Status::parse(&word).ok_or_else(|| SqlError::Failed(format!("no status is called `{word}`")))
}

fn reason(row: &Row) -> Result<Option<Reason>, SqlError> {
    let Some(word) = row.get::<Option<String>>("reason")? else {
        return Ok(None);
    };
    let unknown = || SqlError::Failed(format!("no reason is called `{word}`"));
    Reason::parse(&word).ok_or_else(unknown).map(Some)
}

fn shipment(row: &Row) -> Result<Option<Shipment>, SqlError> {
    let carrier: Option<String> = row.get("carrier")?;
    let tracking: Option<String> = row.get("tracking")?;
    Ok(carrier.zip(tracking).map(|(carrier, tracking)| Shipment { carrier, tracking }))
}
