//! The jobs that a worker was given and has not taken up.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::sync::mpsc::UnboundedReceiver;

use super::{job::Job, pool::Pool};

/// A worker's jobs, where both of its loops can reach them.
pub(super) struct Inbox {
    pool: Arc<Pool>,
    worker: u64,
    jobs: Mutex<UnboundedReceiver<Job>>,
    held_up: Arc<AtomicBool>,
}

impl Inbox {
    /// The inbox of one of the pool's workers. The pool looks at `held_up` before it puts something in.
    pub fn new(pool: Arc<Pool>, worker: u64, jobs: UnboundedReceiver<Job>, held_up: Arc<AtomicBool>) -> Self {
        Self { pool, worker, jobs: Mutex::new(jobs), held_up }
    }

    /// The next job; `None` when there will be no more.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Job>> {
        self.lock().poll_recv(context)
    }

    /// Whether no job waits here.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Says whether jobs wait here in vain. While they do, new ones go to other instances where there are any, and so do
    /// those that wait already.
    pub fn hold_up(&self, held_up: bool) {
        if held_up {
            self.held_up.store(true, Ordering::Relaxed);
            self.hand_back();
        } else if self.held_up.load(Ordering::Relaxed) {
            self.held_up.store(false, Ordering::Relaxed);
        }
    }

    /// Takes nothing more, and gives what waits here to other instances.
    pub fn close(&self) {
        self.lock().close();
        self.hand_back();
    }

    /// Takes nothing more, and returns what waits here.
    pub fn drain(&self) -> Vec<Job> {
        self.lock().close();
        self.waiting()
    }

    fn hand_back(&self) {
        // What the pool gives back to this worker, for want of another, comes into the inbox behind all these.
        for job in self.waiting() {
            if job.is_wanted()
                && let Err((job, failure)) = self.pool.take_back(self.worker, job)
            {
                _ = job.reply.send(Err(failure));
            }
        }
    }

    fn waiting(&self) -> Vec<Job> {
        let mut jobs = self.lock();
        std::iter::from_fn(|| jobs.try_recv().ok()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, UnboundedReceiver<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
