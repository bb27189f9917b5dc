//! Products, stock and reservations in Postgres.

use kit::{
    Money,
    sql::{Database, Row, SqlError},
};

use crate::domain::product::Product;

mod catalogue;
mod reservations;
mod stock;

/// The component's database.
pub const DATABASE: Database = Database::at("products_database_url");

/// The ports over [`DATABASE`].
#[derive(Debug, Clone, Copy)]
pub struct Sql;

pub use reservations::lapse;

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
