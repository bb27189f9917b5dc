//! Workers: an instance each, reused, with a queue of its own.
//!
//! There is one pool for each version on each core, and all its workers run on that core's thread, so that handing a
//! job over wakes nothing but a task of the same thread. Each worker has its own channel: workers that share one can
//! lose a wake-up.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc},
};

use super::{failure::Failure, instance::Instance, job::Job, worker};
use crate::limits::ComponentLimits;

/// Makes the instances of a pool.
#[async_trait]
pub trait MakeInstance: Send + Sync {
    /// A fresh instance in a store of its own.
    ///
    /// # Errors
    /// What wasmtime says, or the guest's start function.
    async fn make(&self) -> wasmtime::Result<Instance>;
}

/// The workers of one version on one core.
pub struct Pool {
    pub(super) component: Arc<str>,
    pub(super) version: Arc<str>,
    pub(super) limits: ComponentLimits,
    pub(super) maker: Arc<dyn MakeInstance>,
    runtime: Handle,
    state: Mutex<State>,
    running: AtomicUsize,
    empty: Notify,
}

/// Counts a job for as long as its instance holds it.
pub(super) struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct State {
    slots: Vec<Slot>,
    /// Workers that take nothing new but still have something to finish.
    retired: usize,
    waiting: VecDeque<Job>,
    draining: bool,
    next_id: u64,
}

/// A worker that takes jobs.
struct Slot {
    id: u64,
    jobs: mpsc::UnboundedSender<Job>,
    in_flight: usize,
    taken: usize,
}

/// How a pool stands, for status and metrics.
#[derive(Debug, Default, Clone, Copy, serde::Serialize)]
pub struct PoolStatus {
    /// Live instances, those about to end included.
    pub instances: usize,
    /// Jobs that an instance holds, until the last byte of the answer is sent or nobody wants it any more.
    pub in_flight: usize,
    /// Jobs that wait for a place.
    pub waiting: usize,
}

impl Pool {
    /// A pool without workers whose workers will run on `runtime`.
    pub fn new(
        component: Arc<str>,
        version: Arc<str>,
        limits: ComponentLimits,
        maker: Arc<dyn MakeInstance>,
        runtime: Handle,
    ) -> Arc<Self> {
        let state = Mutex::default();
        let running = AtomicUsize::new(0);
        Arc::new(Self { component, version, limits, maker, runtime, state, running, empty: Notify::new() })
    }

    /// Gives a job to a worker that has room, to a new one, or into the queue.
    ///
    /// # Errors
    /// The job itself, with [`Failure::Overloaded`] when the queue is full or [`Failure::Stopping`] when the pool drains.
    pub fn submit(self: &Arc<Self>, job: Job) -> Result<(), (Job, Failure)> {
        let mut state = self.lock();
        if state.draining {
            return Err((job, Failure::Stopping { component: self.component.clone() }));
        }
        if job.alone && state.live() < self.limits.instances {
            self.start(&mut state, job);
            return Ok(());
        }
        let room = self.limits.concurrent_per_instance;
        if let Some(slot) =
            state.slots.iter_mut().filter(|slot| slot.in_flight < room).min_by_key(|slot| slot.in_flight)
        {
            let id = slot.id;
            self.hand_over(&mut state, id, job);
        } else if state.live() < self.limits.instances {
            self.start(&mut state, job);
        } else if state.waiting.len() < self.limits.queue {
            state.waiting.push_back(job);
        } else {
            let waiting = state.waiting.len();
            return Err((job, Failure::Overloaded { component: self.component.clone(), waiting }));
        }
        Ok(())
    }

    /// How the pool stands.
    pub fn status(&self) -> PoolStatus {
        let state = self.lock();
        PoolStatus {
            instances: state.live(),
            in_flight: self.running.load(Ordering::Relaxed),
            waiting: state.waiting.len(),
        }
    }

    /// Takes nothing new, and returns once every worker has ended.
    pub async fn drain(&self) {
        self.lock().draining = true;
        loop {
            let ended = self.empty.notified();
            {
                let mut state = self.lock();
                if state.waiting.is_empty() {
                    state.retired += state.slots.len();
                    state.slots.clear();
                }
                if state.live() == 0 {
                    return;
                }
            }
            ended.await;
        }
    }

    /// Counts a job as running until the value is dropped.
    pub(super) fn count_running(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(&self.running)
    }

    /// A worker has finished a job: its place goes to one that waits.
    pub(super) fn finished(self: &Arc<Self>, id: u64) {
        let mut state = self.lock();
        let Some(slot) = state.slots.iter_mut().find(|slot| slot.id == id) else { return };
        slot.in_flight = slot.in_flight.saturating_sub(1);
        while let Some(job) = state.waiting.pop_front() {
            if job.presence.gone_for_ms().is_none() {
                self.hand_over(&mut state, id, job);
                break;
            }
        }
        self.empty.notify_one();
    }

    /// A worker takes nothing new; what it was already given it still does.
    pub(super) fn retire(&self, id: u64) {
        let mut state = self.lock();
        let before = state.slots.len();
        state.slots.retain(|slot| slot.id != id);
        state.retired += before - state.slots.len();
    }

    /// A worker is gone, its store dropped. Those who wait get another.
    pub(super) fn ended(self: &Arc<Self>, id: u64) {
        self.retire(id);
        let mut state = self.lock();
        state.retired = state.retired.saturating_sub(1);
        while state.live() < self.limits.instances {
            let Some(job) = state.waiting.pop_front() else { break };
            if job.presence.gone_for_ms().is_none() {
                self.start(&mut state, job);
            }
        }
        self.empty.notify_one();
    }

    fn hand_over(&self, state: &mut State, id: u64, job: Job) {
        let Some(position) = state.slots.iter().position(|slot| slot.id == id) else {
            state.waiting.push_front(job);
            return;
        };
        let Some(slot) = state.slots.get_mut(position) else { return };
        slot.in_flight += 1;
        slot.taken += 1;
        let full = slot.taken >= self.limits.reuse;
        let refused = slot.jobs.send(job).err();
        if full || refused.is_some() {
            // Without its slot the worker's channel closes once it has taken what is in it.
            state.slots.swap_remove(position);
            state.retired += 1;
        }
        if let Some(mpsc::error::SendError(job)) = refused {
            state.waiting.push_front(job);
        }
    }

    fn start(self: &Arc<Self>, state: &mut State, job: Job) {
        let id = state.next_id;
        state.next_id += 1;
        let alone = job.alone;
        let (jobs, receiver) = mpsc::unbounded_channel();
        // The receiver is in scope, so this cannot fail.
        _ = jobs.send(job);
        if alone || self.limits.reuse <= 1 {
            state.retired += 1;
        } else {
            state.slots.push(Slot { id, jobs, in_flight: 1, taken: 1 });
        }
        self.runtime.spawn(worker::run(self.clone(), id, receiver));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn live(&self) -> usize {
        self.slots.len() + self.retired
    }
}
