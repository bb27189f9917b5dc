//! Events from outboxes to subscribers, and ticks, against a real server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod delivery;
#[path = "../ground/mod.rs"]
mod ground;
mod hosts;
mod scene;
mod schedule;
mod trouble;
