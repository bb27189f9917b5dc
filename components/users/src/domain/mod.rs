//! What an account is, and what may be done with it.

pub mod accounts;
pub mod email;
pub mod password;
pub mod sessions;
pub mod throttle;
pub mod user;

#[cfg(test)]
mod memory;
