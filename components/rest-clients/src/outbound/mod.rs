//! Asking over HTTP.

pub mod address;
pub mod request;
mod service;

pub use service::{NOTHING, ORDERS, PAYMENTS, PRODUCTS, PROVIDER, Service, USERS, Unanswered};
