//! What the use cases ask of the world: the database, the users, the provider.

pub mod asyncapi;
pub mod shop;
pub mod sql;

mod row;
mod write;

use kit::idempotency::Lease;
use kit::sql::Database;
use serde::{Deserialize, Serialize};

/// The service's own database.
pub const DATABASE: Database = Database::at("payments_database_url");

/// The ports of the domain, as they are in a component.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The idempotency key that this request holds, when it came with one.
    pub lease: Option<Lease<KeyIds>>,
}

/// What an idempotency key fixes, as its row keeps it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeyIds {
    /// Of a confirmation: the number of the attempt that it began, which joins the row in the statement that begins it.
    #[serde(default, skip_serializing)]
    pub attempt: Option<i64>,
    /// Of a refund: its number, which the claim draws from its sequence.
    #[serde(default, skip_serializing)]
    pub number: i64,
}
