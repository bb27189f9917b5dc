//! Events from outboxes to subscribers, and ticks, against a real server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod delivery;
#[path = "../ground/mod.rs"]
mod ground;
mod hosts;
mod load;
mod scene;
mod schedule;
mod trouble;
mod waiting;

/// How long handlers and ticks under way may take at a stop.
const STOP_PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
