//! What comes in: requests, events, the clock.

mod events;
pub mod http;
mod internal;
mod wit;
