//! The ports over what the component is granted: its database.

pub mod sql;
