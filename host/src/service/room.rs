//! Room for instances in the process, which all components share.
//!
//! wasmtime refuses an instance when there are too many. The pool that wanted it waits here then, in its turn, until one ends
//! somewhere: one that stands idle does, for the sake of those who wait.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;

/// Whoever waits for an instance to end somewhere.
pub trait Waiter: Send + Sync {
    /// It may have an instance now. Says whether it makes one.
    fn admit(self: Arc<Self>) -> bool;
}

/// Room for instances. Clones are the same room.
#[derive(Clone, Default)]
pub struct Room(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Whether anybody waits, to be known without the lock.
    is_wanted: AtomicBool,
    wanted: Notify,
}

#[derive(Default)]
struct State {
    places: usize,
    /// How many have been given up so far.
    left: u64,
    waiting: VecDeque<Arc<dyn Waiter>>,
}

/// What one instance takes up; to be had before it is made, and dropped after it.
pub struct Place {
    room: Room,
    /// How many places had been given up when this was taken.
    left_before: u64,
    is_taken: bool,
}

/// What becomes of whoever was refused an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It waits, and will be admitted.
    Waits,
    /// An instance has ended meanwhile: it is to try again.
    Again,
    /// There is no other instance whose end could help.
    ForEver,
}

impl Room {
    /// Takes a place. wasmtime says whether the instance fits.
    pub fn enter(&self) -> Place {
        let mut state = self.lock();
        state.places += 1;
        Place { room: self.clone(), left_before: state.left, is_taken: true }
    }

    /// Lets `waiter` wait behind those who wait already. Says no where nobody does: it may try at once then.
    pub fn waits_behind_others(&self, waiter: &Arc<dyn Waiter>) -> bool {
        if !self.is_wanted() {
            return false;
        }
        let mut state = self.lock();
        let others = !state.waiting.is_empty();
        if others {
            state.waiting.push_back(waiter.clone());
        }
        others
    }

    /// Returns when somebody waits for an instance to end. Of those who wait here, as many are told as are needed.
    pub async fn wanted(&self) {
        while !self.is_wanted() {
            self.0.wanted.notified().await;
        }
    }

    /// Whether somebody waits for an instance to end.
    pub fn is_wanted(&self) -> bool {
        self.0.is_wanted.load(Ordering::Acquire)
    }

    /// Admits the first of those who wait and still want to. Nobody may call this with a lock that a waiter takes.
    pub fn pass_on(&self) {
        loop {
            let next = {
                let mut state = self.lock();
                let next = state.waiting.pop_front();
                self.tell(&state);
                next
            };
            let Some(waiter) = next else { return };
            if waiter.admit() {
                return;
            }
        }
    }

    /// Tells an idle instance whether it is in somebody's way.
    fn tell(&self, state: &State) {
        let is_wanted = !state.waiting.is_empty();
        self.0.is_wanted.store(is_wanted, Ordering::Release);
        if is_wanted {
            self.0.wanted.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The instance did not fit. Where it is [`Refused::ForEver`], the next is to be admitted by [`Room::pass_on`].
    pub fn refused(mut self, waiter: &Arc<dyn Waiter>) -> Refused {
        self.is_taken = false;
        let mut state = self.room.lock();
        state.places = state.places.saturating_sub(1);
        if state.left != self.left_before {
            return Refused::Again;
        }
        if state.places == 0 {
            return Refused::ForEver;
        }
        state.waiting.push_back(waiter.clone());
        self.room.tell(&state);
        Refused::Waits
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_taken {
            return;
        }
        {
            let mut state = self.room.lock();
            state.places = state.places.saturating_sub(1);
            state.left += 1;
        }
        self.room.pass_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Counter(std::sync::atomic::AtomicUsize, AtomicBool);

    impl Waiter for Counter {
        fn admit(self: Arc<Self>) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed);
            !self.1.load(Ordering::Relaxed)
        }
    }

    fn waiter() -> (Arc<Counter>, Arc<dyn Waiter>) {
        let counter = Arc::new(Counter::default());
        (counter.clone(), counter)
    }

    fn admitted(counter: &Counter) -> usize {
        counter.0.load(Ordering::Relaxed)
    }

    #[test]
    fn the_end_of_an_instance_admits_the_first_who_waits_and_still_wants_to() {
        let room = Room::default();
        let (first, second) = (room.enter(), room.enter());
        let ((gone, a), (patient, b), (late, c)) = (waiter(), waiter(), waiter());
        gone.1.store(true, Ordering::Relaxed);
        for waiter in [&a, &b, &c] {
            assert_eq!(room.enter().refused(waiter), Refused::Waits);
        }
        drop(first);
        assert_eq!((admitted(&gone), admitted(&patient), admitted(&late)), (1, 1, 0));
        drop(second);
        assert_eq!((admitted(&gone), admitted(&patient), admitted(&late)), (1, 1, 1));
        assert!(!room.is_wanted());
    }

    #[test]
    fn an_instance_that_ends_between_the_refusal_and_the_wait_is_not_missed() {
        let room = Room::default();
        let (living, ending, refused) = (room.enter(), room.enter(), room.enter());
        drop(ending);
        assert_eq!(refused.refused(&waiter().1), Refused::Again);
        assert_eq!(room.enter().refused(&waiter().1), Refused::Waits);
        drop(living);
    }

    #[test]
    fn nobody_waits_for_what_cannot_come_and_nobody_overtakes_those_who_wait() {
        let room = Room::default();
        assert_eq!(room.enter().refused(&waiter().1), Refused::ForEver);
        let living = room.enter();
        let ((first, a), (second, b)) = (waiter(), waiter());
        assert!(!room.waits_behind_others(&b), "nobody waits");
        assert_eq!(room.enter().refused(&a), Refused::Waits);
        assert!(room.waits_behind_others(&b));
        drop(living);
        assert_eq!((admitted(&first), admitted(&second)), (1, 0));
    }
}
