//! What a payment is and what may happen to it. No binding, no HTTP, no SQL: it is tested natively.

pub mod attempt;
pub mod card;
pub mod clock;
pub mod confirm;
pub mod event;
pub mod order;
pub mod payment;
pub mod ports;
pub mod refund;
pub mod settle;
pub mod token;
pub mod write;

#[cfg(test)]
mod properties;

pub use attempt::{Attempt, AttemptState, Outcome};
pub use payment::{Payment, Status};
pub use refund::Refund;
pub use write::Write;
