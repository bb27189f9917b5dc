//! How passwords are hashed: plain Rust, tested natively.

pub mod argon2id;
