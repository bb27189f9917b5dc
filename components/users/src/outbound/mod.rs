//! The ports over what the component is granted: its database, its clock, its random numbers and the hashing of passwords.

pub mod passwords;
pub mod secrets;
pub mod sql;
pub mod throttle;
