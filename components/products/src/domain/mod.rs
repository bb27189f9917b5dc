//! What a product is, and how its stock moves.

pub mod catalogue;
pub mod place;
pub mod product;
pub mod reservation;
pub mod search;
pub mod stock;
