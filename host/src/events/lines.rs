//! A line per key: who comes first is served first.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// The lines of one subscriber, by key; those without anybody in them are not kept.
#[derive(Default)]
pub(super) struct Lines {
    by_key: Arc<Mutex<ByKey>>,
}

type ByKey = HashMap<String, Line>;

/// Who stands in a line, from its head on.
#[derive(Default)]
struct Line {
    next_number: u64,
    waiting: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// A place in a line, given up when dropped.
pub(super) struct Place {
    by_key: Arc<Mutex<ByKey>>,
    key: String,
    number: u64,
    head: Option<oneshot::Receiver<()>>,
}

impl Lines {
    /// Joins the line of a key at its end.
    pub(super) fn join(&self, key: &str) -> Place {
        let mut by_key = locked(&self.by_key);
        let line = by_key.entry(key.to_owned()).or_default();
        let number = line.next_number;
        line.next_number += 1;
        let (call, called) = oneshot::channel();
        let head = if line.waiting.is_empty() { None } else { Some(called) };
        line.waiting.push_back((number, call));
        Place { by_key: Arc::clone(&self.by_key), key: key.to_owned(), number, head }
    }
}

impl Place {
    /// Waits until it is at the head of its line.
    pub(super) async fn at_head(&mut self) {
        if let Some(called) = self.head.take() {
            // The sender stays in the line as long as this place does, so the answer is always a call.
            drop(called.await);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_key = locked(&self.by_key);
        let Some(line) = by_key.get_mut(&self.key) else { return };
        line.waiting.retain(|(number, _)| *number != self.number);
        match line.waiting.pop_front() {
            None => drop(by_key.remove(&self.key)),
            Some((number, call)) => {
                // Called again when it stands at the head already, which nobody hears.
                let (stand_in, _) = oneshot::channel();
                let _ = call.send(());
                line.waiting.push_front((number, stand_in));
            }
        }
    }
}

/// Nothing panics while it is locked.
fn locked(by_key: &Mutex<ByKey>) -> MutexGuard<'_, ByKey> {
    by_key.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn is_at_head(place: &mut Place) -> bool {
        let called = place.head.as_mut().is_none_or(|head| head.now_or_never().is_some());
        if called {
            place.head = None;
        }
        called
    }

    #[test]
    fn who_comes_first_is_served_first() {
        let lines = Lines::default();
        let mut places: Vec<Place> = (0..3).map(|_| lines.join("a")).collect();
        assert!(is_at_head(&mut lines.join("b")));
        let [first, second, third] = places.as_mut_slice() else { panic!("three") };
        assert!(is_at_head(first));
        assert!(!is_at_head(second) && !is_at_head(third));
        drop(places.remove(0));
        let [second, third] = places.as_mut_slice() else { panic!("two") };
        assert!(is_at_head(second) && !is_at_head(third));
    }

    #[test]
    fn a_place_given_up_in_the_middle_calls_nobody_and_an_empty_line_goes() {
        let lines = Lines::default();
        let mut places: Vec<Place> = (0..3).map(|_| lines.join("a")).collect();
        drop(places.remove(1));
        assert!(!is_at_head(&mut places[1]));
        drop(places.remove(0));
        assert!(is_at_head(&mut places[0]));
        drop(places);
        assert!(locked(&lines.by_key).is_empty());
    }
}
