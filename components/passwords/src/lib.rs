//! Hashes passwords with argon2id, and checks them.
//!
//! It exports `shop:passwords/hashing`. A hash takes some 30 ms of computing, so the manifest puts this component on the
//! host's background threads: the service that keeps the accounts, and everything else, goes on answering meanwhile.

pub mod domain;

#[cfg(target_family = "wasm")]
mod bindings;
#[cfg(target_family = "wasm")]
mod inbound;
