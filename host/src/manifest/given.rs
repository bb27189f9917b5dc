//! What whoever runs an application says of it beside its manifest.

use std::collections::BTreeMap;

use super::{Fault, Reading, name};
use crate::limits::ComponentLimits;

/// What is said; the default is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// Environment variables of all components, before those of the manifest.
    pub environment: BTreeMap<String, String>,
    /// The components to serve, and with them those that they depend on; where it is empty, all that something uses.
    pub only: Vec<String>,
    /// The limits of components where the manifest says nothing.
    pub limits: ComponentLimits,
}

impl Reading {
    /// Adds what is given to what the manifest says.
    pub(super) fn add(&mut self, given: &Given) {
        for component in self.app.components.values_mut() {
            component.environment.extend(given.environment.clone());
        }
        for id in given.only.iter().filter(|id| !self.app.components.contains_key(*id)) {
            let advice = name::did_you_mean(id, self.app.components.keys().map(String::as_str));
            self.faults.push(Fault::new(
                &self.file,
                None,
                format!("there is no component `{id}` to be served"),
                advice,
            ));
        }
        self.only.clone_from(&given.only);
    }
}
