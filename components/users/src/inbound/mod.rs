//! How the component is reached.

mod events;
pub mod first_admin;
pub mod http;
mod internal;
mod wit;
