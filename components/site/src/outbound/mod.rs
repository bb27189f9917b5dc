//! Whom the site asks.

pub mod shop;
