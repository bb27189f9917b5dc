//! How the component is reached.

pub mod http;
pub mod order_event;

#[cfg(target_family = "wasm")]
pub mod events;
#[cfg(target_family = "wasm")]
mod internal;
#[cfg(target_family = "wasm")]
pub mod wit;
