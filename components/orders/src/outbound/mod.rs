//! What the use cases ask of the world: the database, the users, the products.

pub mod asyncapi;
pub mod shop;
pub mod sql;

mod row;

use kit::idempotency::Lease;
use serde::{Deserialize, Serialize};

/// The ports of the domain, as they are in a component.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The idempotency key that this request holds, when it came with one.
    pub lease: Option<Lease<KeyIds>>,
    /// The trace that this request belongs to.
    pub traceparent: Option<String>,
}

/// What an idempotency key fixes, as its row keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyIds {
    /// The reservation's name, a UUID.
    pub reservation_id: String,
    /// The order's number, which the claim draws from its sequence.
    #[serde(default, skip_serializing)]
    pub number: i64,
}
