//! Which versions there are and which of them answer, as both ledgers write it down.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests need more of the ground")]
#[path = "../ground/mod.rs"]
mod ground;
mod kept;
mod lost;
mod scene;
mod starts;
