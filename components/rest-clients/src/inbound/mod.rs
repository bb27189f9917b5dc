//! What the shop's services ask, each interface a file.

mod orders;
mod payments;
mod products;
mod provider;
mod users;

#[cfg(test)]
mod form_tests;
