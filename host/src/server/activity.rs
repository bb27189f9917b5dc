//! What a connection is doing, as its requests tell and its time-outs ask.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// The requests of one connection. Clones share it.
#[derive(Debug, Clone)]
pub struct Activity(Arc<State>);

#[derive(Debug)]
struct State {
    begun: AtomicUsize,
    under_way: AtomicUsize,
    /// When the last answer was through, or the connection was made.
    quiet_since: Mutex<Instant>,
}

/// A request under way, from its head to the last byte of its answer.
#[derive(Debug)]
pub struct Exchange(Activity);

impl Activity {
    /// A new connection.
    pub fn new() -> Self {
        let (begun, under_way) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self(Arc::new(State { begun, under_way, quiet_since: Mutex::new(Instant::now()) }))
    }

    /// A request's head has come. It counts as under way until the value is dropped.
    pub fn begin(&self) -> Exchange {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        Exchange(self.clone())
    }

    /// How many requests there have been.
    pub fn begun(&self) -> usize {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// Whether a request is under way.
    pub fn is_busy(&self) -> bool {
        self.0.under_way.load(Ordering::Relaxed) > 0
    }

    /// Returns once no request has been under way for `patience`.
    pub async fn idle(&self, patience: Duration) {
        loop {
            let quiet_until = self.quiet_until(patience);
            if quiet_until.is_some_and(|until| until <= Instant::now()) {
                return;
            }
            sleep_until(quiet_until.unwrap_or_else(|| Instant::now() + patience)).await;
        }
    }

    fn quiet_until(&self, patience: Duration) -> Option<Instant> {
        (!self.is_busy()).then(|| *self.0.quiet_since.lock().unwrap_or_else(PoisonError::into_inner) + patience)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let Activity(state) = &self.0;
        *state.quiet_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        state.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
