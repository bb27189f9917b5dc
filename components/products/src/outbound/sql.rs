//! Products, stock and reservations in Postgres.

use kit::{
    Money,
    sql::{Database, ParameterValue, Row, SqlError, text},
};

use crate::domain::{
    product::Product,
    stock::{LOW, STOCK_LOW, TOPIC},
};

mod catalogue;
mod reservations;
mod stock;

/// The component's database.
pub const DATABASE: Database = Database::at("products_database_url");

/// The ports over [`DATABASE`].
#[derive(Debug, Clone, Copy)]
pub struct Sql;

pub use reservations::{Ledger, lapse};

/// What a statement needs to tell of products that run out: topic, type, and below how many pieces. A product is told of
/// when it falls below, not for as long as it is.
fn told() -> [ParameterValue; 3] {
    [text(TOPIC), text(STOCK_LOW), LOW.into()]
}

/// A product as [`product`] reads it, for the table or CTE in front of the dot.
macro_rules! columns {
    ($from:literal) => {
        concat!(
            $from,
            ".id, ",
            $from,
            ".name, ",
            $from,
            ".description, ",
            $from,
            ".category, ",
            $from,
            ".price_minor, ",
            $from,
            ".currency, ",
            $from,
            ".on_hand - ",
            $from,
            ".reserved as available, ",
            $from,
            ".active, ",
            $from,
            ".version, ",
            $from,
            ".created_at at time zone 'UTC' as created_at, ",
            $from,
            ".updated_at at time zone 'UTC' as updated_at"
        )
    };
}
use columns;

fn product(row: &Row) -> Result<Product, SqlError> {
    Ok(Product {
        id: row.get("id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        category: row.get("category")?,
        price: Money::from_minor(row.get("price_minor")?),
        currency: row.get("currency")?,
        available: row.get("available")?,
        active: row.get("active")?,
        version: row.get("version")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
