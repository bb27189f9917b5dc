//! Which keys have events that wait, known without asking the database for each event.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use crate::limits::WAITING_KEYS;

/// So many keys do not wait by chance: their subscriber is away.
const MANY: usize = 64;

/// The keys of one queue.
pub(super) struct Keys {
    known: watch::Sender<bool>,
    noted: Mutex<Noted>,
    /// Told when something new waits.
    pub news: Notify,
}

/// What is noted of them.
#[derive(Default)]
struct Noted {
    /// How often something was added, to any of them.
    additions: u64,
    /// Each key, and which of the additions was its last.
    last: HashMap<String, u64>,
    /// Keys that were tried just now, and when they may be again.
    resting: HashMap<String, Instant>,
}

/// How far the additions had come when one looked.
#[derive(Clone, Copy)]
pub(super) struct Seen(u64);

impl Keys {
    pub(super) fn new() -> Self {
        Self { known: watch::Sender::new(false), noted: Mutex::default(), news: Notify::new() }
    }

    /// Notes what the table says, and forgets all else, but for what was added since one began to look. From the first time on they are
    /// known.
    pub(super) fn found(&self, keys: Vec<String>, seen: Seen) {
        let mut noted = self.locked();
        noted.last.retain(|_, last| *last > seen.0);
        keys.into_iter().for_each(|key| noted.add(key));
        drop(noted);
        self.known.send_replace(true);
    }

    /// Waits until it is known which keys have something waiting.
    pub(super) async fn known(&self) {
        // The sender lives as long as this.
        drop(self.known.subscribe().wait_for(|known| *known).await);
    }

    /// Does anything of the key wait?
    pub(super) fn contain(&self, key: &str) -> bool {
        self.locked().last.contains_key(key)
    }

    /// Does something of many keys wait?
    pub(super) fn are_many(&self) -> bool {
        self.locked().last.len() >= MANY
    }

    /// Does anything wait?
    pub(super) fn any(&self) -> bool {
        !self.locked().last.is_empty()
    }

    /// Notes that something of the key is about to wait; `false` where there is no room for another key.
    pub(super) fn add(&self, key: &str) -> bool {
        let mut noted = self.locked();
        let room = noted.last.len() < WAITING_KEYS || noted.last.contains_key(key);
        if room {
            noted.add(key.to_owned());
        }
        room
    }

    /// Notes that the first of the key that is to wait was tried in vain, and is not to be tried again before.
    pub(super) fn rest(&self, key: &str, not_before: Instant) {
        let mut noted = self.locked();
        // Of keys for which there is no room nothing is kept either.
        if noted.resting.len() < WAITING_KEYS {
            noted.resting.insert(key.to_owned(), not_before);
        }
    }

    /// Until when the key is not to be tried, told once.
    pub(super) fn rest_of(&self, key: &str) -> Option<Instant> {
        self.locked().resting.remove(key)
    }

    /// What was added until now.
    pub(super) fn seen(&self) -> Seen {
        Seen(self.locked().additions)
    }

    /// Forgets keys of which the table had nothing, but for those to which something was added since one began to look.
    pub(super) fn forget(&self, keys: &[String], seen: Seen) {
        let mut noted = self.locked();
        for key in keys {
            if noted.last.get(key).is_some_and(|last| *last <= seen.0) {
                noted.last.remove(key);
            }
        }
    }

    /// Nothing panics while it is locked.
    fn locked(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    fn add(&mut self, key: String) {
        self.additions += 1;
        self.last.insert(key, self.additions);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_key_is_forgotten_unless_something_was_added_while_one_looked() {
        let keys = Keys::new();
        assert!(keys.add("a") && keys.add("b"));
        let seen = keys.seen();
        assert!(keys.add("b"));
        keys.forget(&["a".to_owned(), "b".to_owned()], seen);
        assert!(!keys.contain("a") && keys.contain("b"));
        keys.forget(&["b".to_owned()], keys.seen());
        assert!(!keys.any());
    }

    #[test]
    fn they_are_known_once_the_table_was_asked() {
        let keys = Keys::new();
        assert!(keys.known().now_or_never().is_none());
        assert!(keys.add("added before") && keys.add("a"));
        let seen = keys.seen();
        assert!(keys.add("added since"));
        keys.found(vec!["a".to_owned()], seen);
        assert!(keys.known().now_or_never().is_some());
        assert!(keys.contain("a") && keys.contain("added since") && !keys.contain("added before"));
    }

    #[test]
    fn there_is_room_for_so_many_and_for_more_of_these() {
        let keys = Keys::new();
        assert!((0..WAITING_KEYS).all(|number| keys.add(&number.to_string())));
        assert!(!keys.add("another") && keys.add("0"));
    }
}
