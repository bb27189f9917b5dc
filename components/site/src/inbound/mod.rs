//! What comes in: requests.

mod file;
pub mod http;
mod page;
