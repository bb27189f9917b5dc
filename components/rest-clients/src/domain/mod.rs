//! How somebody far away is asked: how often, how long, and when not at all.

pub mod ask;
pub mod breaker;
pub mod failure;
pub mod ports;
pub mod question;

#[cfg(test)]
mod ask_tests;
#[cfg(test)]
mod ports_fake;
