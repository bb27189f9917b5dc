//! What a guest may use: one folder each, all of the same shape.

pub mod files;
pub mod outbound_http;
pub mod postgres;
pub mod stdio;
pub mod variables;
