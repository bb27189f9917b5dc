//! One compiler at a time for the same bytes: who wants them as well waits, and finds them compiled.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// Who compiles what, by hash.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<String, Weak<Mutex<()>>>>);

impl Turns {
    /// The lock to hold while these bytes are compiled.
    pub(super) fn of(&self, hash: &str) -> Arc<Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = turns.get(hash).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        turns.insert(hash.to_owned(), Arc::downgrade(&turn));
        turn
    }
}
