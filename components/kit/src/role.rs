//! What an account may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Orders and pays for itself.
    Customer,
    /// Manages products, orders and accounts.
    Admin,
}

impl Role {
    /// The role as it stands in JSON, tokens and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Customer => "customer",
            Role::Admin => "admin",
        }
    }

    /// The role of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Role::Customer, Role::Admin].into_iter().find(|role| role.as_str() == name)
    }
}
