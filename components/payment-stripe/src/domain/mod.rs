//! How charges and refunds are made at Stripe so that a key moves money once. No binding, no HTTP, no SQL: it is tested
//! natively.

pub mod amount;
pub mod charge;
pub mod event;
pub mod give_back;
pub mod intent;
pub mod method;
pub mod outcome;
pub mod ports;
pub mod refund;
pub mod signature;
pub mod word;

pub use outcome::{Outcome, Trouble};
