//! Events from outboxes to subscribers, and ticks, against a real server.

mod delivery;
#[path = "../ground/mod.rs"]
mod ground;
mod hosts;
mod scene;
mod schedule;
mod trouble;
