//! Plaza: a WebAssembly component host.
//!
//! The modules stand in the order in which a request meets them; `ARCHITECTURE.md` walks through one.

pub mod cli;
pub mod app;
pub mod manifest;
pub mod cores;
pub mod server;
pub mod router;
pub mod service;
pub mod link;
pub mod guest;
pub mod capability;
pub mod database;
pub mod events;
pub mod schedule;
pub mod control;
pub mod engine;
pub mod error;
pub mod limits;
pub mod telemetry;
