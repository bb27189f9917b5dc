//! What an order is and what may happen to it. No binding, no HTTP, no SQL: it is tested natively.

pub mod change;
pub mod event;
pub mod expire;
pub mod line;
pub mod order;
pub mod place;
pub mod ports;
pub mod settle;
pub mod status;

#[cfg(test)]
mod properties;

pub use change::{Actor, Change, Step, change_order};
pub use line::{Asked, Line, Lines};
pub use order::Order;
pub use status::{Reason, Status};
