//! Which components are reached.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What keeps each component from being reached, if anything does. It is told when it begins and when it is over, and not at each try.
#[derive(Default)]
pub struct Standing(Mutex<BTreeMap<String, Option<String>>>);

impl Standing {
    /// Of these components, none of which has been tried.
    pub(super) fn of(components: impl IntoIterator<Item = String>) -> Self {
        Self(Mutex::new(components.into_iter().map(|component| (component, None)).collect()))
    }

    /// Every component, with what keeps it from being reached.
    pub fn all(&self) -> BTreeMap<String, Option<String>> {
        self.locked().clone()
    }

    /// Whether all are reached, as far as one knows.
    pub fn is_well(&self) -> bool {
        self.locked().values().all(Option::is_none)
    }

    /// It has answered.
    pub(super) fn reached(&self, component: &str) {
        let before = self.locked().insert(component.to_owned(), None);
        if before.flatten().is_some() {
            tracing::info!(component, "the component is reached again");
        }
    }

    /// It has not, for this reason.
    pub(super) fn unreached(&self, component: &str, reason: &str) {
        let before = self.locked().insert(component.to_owned(), Some(reason.to_owned()));
        if before.flatten().as_deref() != Some(reason) {
            tracing::warn!(component, reason, "the component is not reached; what is for it waits");
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
