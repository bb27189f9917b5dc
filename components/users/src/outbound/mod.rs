//! The ports over what the component is granted: its database, its clock and its random numbers.

pub mod argon2;
pub mod secrets;
pub mod sql;
pub mod throttle;
