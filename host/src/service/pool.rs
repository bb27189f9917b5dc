//! Workers: an instance each, reused, with a queue of its own.
//!
//! There is one pool for each version on each core, and all its workers run on that core's thread, so that handing a
//! job over wakes nothing but a task of the same thread. Each worker has its own channel: workers that share one can
//! lose a wake-up.

mod ahead;
mod end;
mod without_room;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc},
    task::AbortHandle,
};

use super::{failure::Failure, inbox::Inbox, instance::Instance, job::Job, room::Room, status::PoolStatus, worker};
use crate::limits::ComponentLimits;
pub(super) use ahead::Made;

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
    pub(super) room: Room,
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
    /// Ends each worker at once, whatever it does.
    ends: Vec<(u64, AbortHandle)>,
    waiting: VecDeque<Job>,
    /// Whether it waits for room in the process, and starts no worker until then.
    is_without_room: bool,
    /// Whether room was made for one worker of it.
    is_admitted: bool,
    phase: Phase,
    next_id: u64,
}

/// How far a pool is on its way to its end.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It takes jobs.
    #[default]
    Open,
    /// It finishes what it has.
    Draining,
    /// It is over.
    Cut,
}

/// A worker that takes jobs.
struct Slot {
    id: u64,
    jobs: mpsc::UnboundedSender<Job>,
    /// Whether its guest keeps it from taking up what it is given.
    held_up: Arc<AtomicBool>,
    in_flight: usize,
    taken: usize,
}

impl Pool {
    /// A pool without workers whose workers will run on `runtime`, with the room that all instances of the process share.
    pub fn new(
        component: Arc<str>,
        version: Arc<str>,
        limits: ComponentLimits,
        maker: Arc<dyn MakeInstance>,
        (runtime, room): (Handle, Room),
    ) -> Arc<Self> {
        let state = Mutex::default();
        let running = AtomicUsize::new(0);
        Arc::new(Self { component, version, limits, maker, room, runtime, state, running, empty: Notify::new() })
    }

    /// Gives a job to a worker that has room, to a new one, or into the queue.
    ///
    /// # Errors
    /// The job itself, with [`Failure::Overloaded`] when the queue is full or [`Failure::Stopping`] when the pool drains.
    pub fn submit(self: &Arc<Self>, job: Job) -> Result<(), (Job, Failure)> {
        let mut state = self.lock();
        match state.phase {
            Phase::Open => self.place(&mut state, job),
            Phase::Draining | Phase::Cut => Err((job, self.stopping())),
        }
    }

    /// Takes a job back that a worker was given and did not begin, even when it takes no others any more.
    ///
    /// # Errors
    /// As [`Pool::submit`].
    pub(super) fn take_back(self: &Arc<Self>, id: u64, job: Job) -> Result<(), (Job, Failure)> {
        let mut state = self.lock();
        if let Some(slot) = state.slots.iter_mut().find(|slot| slot.id == id) {
            slot.in_flight = slot.in_flight.saturating_sub(1);
            slot.taken = slot.taken.saturating_sub(1);
        }
        match state.phase {
            Phase::Open | Phase::Draining => self.place(&mut state, job),
            Phase::Cut => Err((job, self.stopping())),
        }
    }

    fn place(self: &Arc<Self>, state: &mut State, job: Job) -> Result<(), (Job, Failure)> {
        let Some(job) = self.seat(state, job) else { return Ok(()) };
        // Whoever has the instances may be waiting for this very job: behind them it would wait for itself.
        if job.context.is_waited_for_by(&self.component) {
            return Err((job, self.overloaded(state)));
        }
        if state.waiting.len() >= self.limits.queue {
            state.waiting.retain(Job::is_wanted);
        }
        if state.waiting.len() < self.limits.queue {
            state.waiting.push_back(job);
            return Ok(());
        }
        Err((job, self.overloaded(state)))
    }

    /// Gives a job to a worker that has room, or to a new one; hands it back where there is neither.
    fn seat(self: &Arc<Self>, state: &mut State, job: Job) -> Option<Job> {
        if job.alone && self.may_start(state) {
            self.start(state, job);
            return None;
        }
        let room = self.limits.concurrent_per_instance;
        let with_room = state.slots.iter().filter(|slot| slot.in_flight < room);
        let best = with_room.map(|slot| (slot.is_held_up(), slot.in_flight, slot.id)).min();
        match best {
            Some((false, _, id)) => self.hand_over(state, id, job),
            _ if self.may_start(state) => self.start(state, job),
            Some((true, _, id)) => self.hand_over(state, id, job),
            None => return Some(job),
        }
        None
    }

    /// Gives those who wait what has become free.
    fn fill(self: &Arc<Self>, state: &mut State) {
        while let Some(job) = state.waiting.pop_front() {
            if !job.is_wanted() {
                continue;
            }
            if let Some(job) = self.seat(state, job) {
                state.waiting.push_front(job);
                return;
            }
        }
    }

    /// Whether one more instance can be taken so that no more than half of them are, and nobody in the process waits for one.
    pub(super) fn has_room_to_spare(&self) -> bool {
        !self.room.is_wanted() && (self.lock().taken() + 1) * 2 <= self.limits.instances
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

    /// Makes an instance, within the time that a request may take.
    pub(super) async fn make(&self) -> wasmtime::Result<Instance> {
        let making = tokio::time::timeout(self.limits.request_time(), self.maker.make());
        let slow = || wasmtime::format_err!("instantiation took longer than the limit for a request");
        making.await.unwrap_or_else(|_| Err(slow()))
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
            if job.is_wanted() {
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
        let mut state = self.lock();
        state.forget(id);
        if state.phase != Phase::Cut {
            self.fill(&mut state);
        }
        self.empty.notify_one();
    }

    fn overloaded(&self, state: &State) -> Failure {
        Failure::Overloaded { component: self.component.clone(), waiting: state.waiting.len() }
    }

    fn stopping(&self) -> Failure {
        Failure::Stopping { component: self.component.clone() }
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
        let alone = job.alone;
        let (mut slot, inbox) = self.slot(state);
        let id = slot.id;
        // The receiver is in scope, so this cannot fail.
        _ = slot.jobs.send(job);
        if alone || self.limits.reuse <= 1 {
            state.retired += 1;
        } else {
            (slot.in_flight, slot.taken) = (1, 1);
            state.slots.push(slot);
        }
        let worker = self.runtime.spawn(worker::run(self.clone(), id, inbox));
        state.ends.push((id, worker.abort_handle()));
    }

    /// A place for another worker, which was given nothing so far, and its inbox.
    fn slot(self: &Arc<Self>, state: &mut State) -> (Slot, Inbox) {
        let id = state.next_id;
        state.next_id += 1;
        let (jobs, receiver) = mpsc::unbounded_channel();
        let held_up = Arc::new(AtomicBool::new(false));
        let inbox = Inbox::new(self.clone(), id, receiver, held_up.clone());
        (Slot { id, jobs, held_up, in_flight: 0, taken: 0 }, inbox)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn is_held_up(&self) -> bool {
        self.held_up.load(Ordering::Relaxed)
    }
}

impl State {
    fn live(&self) -> usize {
        self.slots.len() + self.retired
    }

    /// Those that have something to do.
    fn taken(&self) -> usize {
        self.retired + self.slots.iter().filter(|slot| slot.in_flight > 0).count()
    }

    /// Strikes a worker off that has ended.
    fn forget(&mut self, id: u64) {
        let before = self.slots.len();
        self.slots.retain(|slot| slot.id != id);
        if self.slots.len() == before {
            self.retired = self.retired.saturating_sub(1);
        }
        self.ends.retain(|(worker, _)| *worker != id);
    }
}
