//! Addresses that a component was refused, each told once: a guest must not fill the log by trying ever new ones.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use crate::limits::REFUSALS_TOLD;

/// What has been told of one component.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashSet<String>>);

impl Refusals {
    /// Whether this address is to be told of: the first time, unless there were too many others.
    pub fn is_first(&self, address: &str) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < REFUSALS_TOLD && told.insert(address.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_told_once_and_of_ever_new_ones_no_more_than_a_few() {
        let refusals = Refusals::default();
        assert!(refusals.is_first("redis://one") && !refusals.is_first("redis://one"));
        let told = (0..1000).filter(|number| refusals.is_first(&format!("redis://{number}"))).count();
        assert_eq!(told, REFUSALS_TOLD - 1);
    }
}
