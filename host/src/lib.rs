//! Plaza: a WebAssembly component host.
//!
//! The modules stand in the order in which a request meets them; `ARCHITECTURE.md` walks through one.

pub mod app;
pub mod backoff;
pub mod blocked_networks;
pub mod capability;
pub mod cli;
pub mod compose;
pub mod control;
pub mod cores;
pub mod database;
pub mod denial;
pub mod digest;
pub mod engine;
pub mod error;
pub mod events;
pub mod guest;
pub mod limits;
pub mod link;
pub mod manifest;
pub mod network;
pub mod over_http;
pub mod redis_connection;
pub mod redis_trigger;
pub mod refusals;
pub mod registry;
pub mod rollout;
pub mod router;
pub mod schedule;
pub mod server;
pub mod service;
pub mod sqlite_file;
pub mod telemetry;
pub mod tls;
