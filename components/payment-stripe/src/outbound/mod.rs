//! Stripe, and what was asked of it.

pub mod api;
mod charges;
mod refunds;

use kit::sql::Database;

/// The component's own database.
const DATABASE: Database = Database::at("stripe_database_url");

/// The ports of the domain, as they are in a component.
#[derive(Clone, Debug)]
pub struct World {
    /// Stripe.
    pub api: api::Api,
}
