//! How the sandbox behaves. No binding, no SQL: it is tested natively.

pub mod token;
pub mod webhook;
