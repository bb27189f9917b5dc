//! The stock and its ledger.

use kit::{
    Failure,
    page::Cursor,
    sql::{Row, SqlError, moment},
};

use super::{DATABASE, Sql, columns, product, told};
use crate::domain::{
    product::Product,
    stock::{Adjustment, Movement, ON_HAND_MAX, Stock, StockError},
};

impl Stock for Sql {
    async fn adjust(
        &self,
        product_id: i64,
        adjustment: &Adjustment,
        traceparent: Option<&str>,
    ) -> Result<Product, StockError> {
        let statement = concat!(
            "with changed as (
                 update products set on_hand = on_hand + $2, updated_at = now()
                 where id = $1 and ($2::bigint < 0 or on_hand + $2::bigint <= $8::bigint)
                 returning *
             ), noted as (
                 insert into movements (product_id, delta, reason) select id, $2, $3 from changed
             ), told as (
                 insert into outbox (topic, key, type, data, traceparent)
                 select $4::text, 'product-' || id, $5::text,
                     jsonb_build_object('productId', id, 'name', name, 'stock', on_hand - reserved, 'version', 1),
                     $7::text
                 from changed
                 where active and on_hand - reserved < $6::bigint and on_hand - reserved - $2 >= $6::bigint
             )
             select ",
            columns!("changed"),
            " from changed"
        );
        let mut params =
            vec![product_id.into(), adjustment.delta.count().into(), adjustment.reason.as_str().to_owned().into()];
        params.extend(told());
        params.push(traceparent.map(str::to_owned).into());
        params.push(ON_HAND_MAX.into());
        match DATABASE.row(statement, params).await.map_err(refused)? {
            Some(row) => Ok(product(&row).map_err(Failure::from)?),
            None => Err(why_not_changed(product_id).await?),
        }
    }

    async fn movements(
        &self,
        product_id: i64,
        after: Option<Cursor>,
        limit: i64,
    ) -> Result<Option<Vec<Movement>>, Failure> {
        // The product comes along once even without movements behind the cursor, to tell an empty list from none.
        let place = match after {
            Some(_) => "and (created_at, id) > ($3::timestamp at time zone 'UTC', $4::bigint)",
            None => "",
        };
        let statement = format!(
            "select page.id, products.id as product_id, page.delta, page.reason, page.reservation_id,
                    page.created_at at time zone 'UTC' as created_at
             from products left join lateral (
                 select * from movements where product_id = products.id {place}
                 order by created_at, id limit $2::bigint
             ) as page on true
             where products.id = $1
             order by page.created_at, page.id"
        );
        let mut params = vec![product_id.into(), limit.into()];
        if let Some(cursor) = after {
            params.extend([moment(cursor.created_at), cursor.id.into()]);
        }
        let rows = DATABASE.rows(&statement, params).await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let movements = rows.iter().filter_map(|row| movement(row).transpose());
        Ok(Some(movements.collect::<Result<_, _>>()?))
    }
}

/// Why a change found nothing to change.
async fn why_not_changed(product_id: i64) -> Result<StockError, Failure> {
    let row = DATABASE.row("select 1 as there from products where id = $1", vec![product_id.into()]).await?;
    Ok(row.map_or(StockError::NotFound, |_| StockError::TooMany))
}

fn movement(row: &Row) -> Result<Option<Movement>, SqlError> {
    let Some(id) = row.get::<Option<i64>>("id")? else {
        return Ok(None);
    };
    Ok(Some(Movement {
        id,
        product_id: row.get("product_id")?,
        delta: row.get("delta")?,
        reason: row.get("reason")?,
        reservation: row.get("reservation_id")?,
        created_at: row.get("created_at")?,
    }))
}

fn refused(error: SqlError) -> StockError {
    if error.is_constraint("products_reserved_within_on_hand") {
        return StockError::BelowReserved;
    }
    StockError::Store(error.into())
}
