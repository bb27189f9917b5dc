//! What the shop asks of the provider.

pub mod internal;
mod wit;
