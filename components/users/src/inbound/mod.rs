//! How the component is reached.

pub mod first_admin;
pub mod http;

#[cfg(target_family = "wasm")]
pub mod events;
#[cfg(target_family = "wasm")]
pub mod wit;
