//! The database server in its good and bad hours, against real PostgreSQL programs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crashes;
mod everyday;
mod failures;
#[path = "../ground/mod.rs"]
mod ground;
mod leases;
mod migrations;
mod other_host;
mod outside;
mod state_folder;
