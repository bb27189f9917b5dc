//! What comes in: requests.

pub mod http;
mod page;
