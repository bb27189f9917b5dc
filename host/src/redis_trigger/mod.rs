//! Redis channels: each message is a call of every component that listens, on every host that serves it.
//!
//! A [`Listener`] is one component on one channel, with a connection of its own, so that one that is slow holds up itself alone: what it
//! has no room for stays with the server, which gives up those that fall too far behind. [`Listeners`] has all of them, and goes on with
//! those that another manifest leaves as they are.
//!
//! Redis keeps nothing: what is published while nobody is connected is heard by nobody, and a message that is not taken does not come
//! again. What must not be lost goes through an outbox.

mod handler;
mod heard;
mod listener;
mod standing;

pub use self::{
    handler::{Handler, INTERFACES, is_handler},
    listener::Listener,
    standing::Standing,
};

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::join_all;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::{listener::Place, standing::Counted};

/// Everything that listens.
#[derive(Default)]
pub struct Listeners(Mutex<State>);

#[derive(Default)]
struct State {
    running: BTreeMap<Place, Running>,
    stopped: bool,
}

/// One that listens. Once this is dropped it listens no more, and finishes what it has.
struct Running {
    counted: Arc<Counted>,
    listening: DropGuard,
    task: JoinHandle<()>,
}

impl Listeners {
    /// From now on these listen and no others. One that is there already goes on as it is, with what it counted. Nothing listens any
    /// more after [`Self::stop`].
    pub fn become_these(&self, wanted: Vec<Listener>) {
        let mut state = self.state();
        if state.stopped {
            return;
        }
        let mut before = std::mem::take(&mut state.running);
        state.running = wanted
            .into_iter()
            .map(|listener| {
                let place = listener.place();
                let running = before.remove(&place).unwrap_or_else(|| Running::start(listener));
                (place, running)
            })
            .collect();
    }

    /// How each of them stands, in the order of their components.
    pub fn standings(&self) -> Vec<Standing> {
        self.state().running.iter().map(|(place, running)| running.counted.standing(place)).collect()
    }

    /// Listens no more, and waits for what is being handled, up to `patience`.
    pub async fn stop(&self, patience: Duration) {
        let running = std::mem::replace(&mut *self.state(), State { stopped: true, ..State::default() }).running;
        let tasks = running.into_values().map(|Running { listening, task, .. }| {
            drop(listening);
            task
        });
        let ended = join_all(tasks);
        if tokio::time::timeout(patience, ended).await.is_err() {
            tracing::warn!("messages of Redis channels were not handled in time; they were cut off");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn start(listener: Listener) -> Self {
        let (counted, stopping) = (Arc::new(Counted::default()), CancellationToken::new());
        let task = tokio::spawn(listener.run(counted.clone(), stopping.clone()));
        Self { counted, listening: stopping.drop_guard(), task }
    }
}
