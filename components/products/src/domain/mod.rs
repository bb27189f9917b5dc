//! What a product is, and how its stock moves.

pub mod catalogue;
pub mod product;
pub mod reservation;
pub mod stock;
pub mod text;
