//! What the provider remembers.

pub mod sql;
