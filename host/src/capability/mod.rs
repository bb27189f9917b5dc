//! What a guest may use: one folder each, all of the same shape.

pub mod files;
pub mod key_value;
pub mod outbound_http;
pub mod postgres;
pub mod redis;
pub mod sockets;
pub mod sqlite;
pub mod stdio;
pub mod variables;
