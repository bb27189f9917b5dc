//! How one that listens stands.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use super::listener::Place;

/// What is counted of one that listens, and why it does not, if it does not.
pub(super) struct Counted {
    taken: AtomicU64,
    failed: AtomicU64,
    away: Mutex<Option<String>>,
}

/// How a component stands on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The component.
    pub component: String,
    /// The channel.
    pub channel: String,
    /// The server, without user and password.
    pub address: String,
    /// Why it hears nothing; `None` while it listens.
    pub away: Option<String>,
    /// Messages that it took.
    pub taken: u64,
    /// Messages that it did not take, or that were too large for it.
    pub failed: u64,
}

impl Default for Counted {
    fn default() -> Self {
        let away = Mutex::new(Some("it is about to connect".to_owned()));
        Self { taken: AtomicU64::default(), failed: AtomicU64::default(), away }
    }
}

impl Counted {
    pub(super) fn took(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// It hears what is published from now on.
    pub(super) fn is_there(&self) {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// It hears nothing from now on, for this reason.
    pub(super) fn is_away(&self, reason: String) {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    pub(super) fn standing(&self, place: &Place) -> Standing {
        Standing {
            component: place.component.clone(),
            channel: place.channel.clone(),
            address: place.address.to_string(),
            away: self.away.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            taken: self.taken.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}
