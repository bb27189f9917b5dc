//! The ports over what the component is granted: its database, and the accounts.

pub mod asyncapi;
pub mod sql;
mod users;

pub use users::Users;
