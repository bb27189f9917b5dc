//! What waits in the outboxes that this host relays.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The outboxes, by component.
#[derive(Default)]
pub(super) struct Backlogs(Mutex<BTreeMap<String, Backlog>>);

/// How one outbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Events that are not published yet, up to 10,000.
    pub waiting: u64,
    /// Keys of which the bus refuses an event, so that those behind it wait.
    pub refused: u64,
}

/// Tells how an outbox stands, for as long as it lives: then it is another host's to tell.
pub(super) struct Teller {
    backlogs: Arc<Backlogs>,
    component: String,
}

impl Backlogs {
    /// For whoever relays the outbox of a component.
    pub(super) fn teller(self: &Arc<Self>, component: &str) -> Teller {
        self.locked().insert(component.to_owned(), Backlog::default());
        Teller { backlogs: Arc::clone(self), component: component.to_owned() }
    }

    /// Every outbox.
    pub(super) fn all(&self) -> BTreeMap<String, Backlog> {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Backlog>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Teller {
    /// So many events are not published yet.
    pub(super) fn waiting(&self, events: u64) {
        if let Some(backlog) = self.backlogs.locked().get_mut(&self.component) {
            backlog.waiting = events;
        }
    }

    /// So many keys wait since the bus refuses an event of theirs.
    pub(super) fn refused(&self, keys: usize) {
        if let Some(backlog) = self.backlogs.locked().get_mut(&self.component) {
            backlog.refused = u64::try_from(keys).unwrap_or(u64::MAX);
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.backlogs.locked().remove(&self.component);
    }
}
