//! Commands.

pub mod check;
