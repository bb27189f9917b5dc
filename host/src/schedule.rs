//! Time: what components do by themselves, at the start and at intervals, on one host at a time.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    database::{Database, Leases},
    limits::PAUSE_ASKED,
};

/// What a component does when it is time.
#[async_trait]
pub trait Task: Send + Sync {
    /// The component's name.
    fn component(&self) -> &str;

    /// Does a small, repeatable step. The next tick comes after its end.
    ///
    /// # Errors
    /// What went wrong. The next tick comes all the same, though perhaps later.
    async fn tick(&self) -> Result<(), TickFailure>;
}

/// Why a tick did not do what it was for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct TickFailure {
    /// Why, for the log.
    pub reason: String,
    /// How long the next one is to wait at least, where that was asked for.
    pub pause: Option<Duration>,
}

impl From<String> for TickFailure {
    fn from(reason: String) -> Self {
        Self { reason, pause: None }
    }
}

/// The running schedule. Dropping it ends ticks at once; [`Schedule::stop`] lets them finish.
pub struct Schedule {
    stopping: CancellationToken,
    tasks: JoinSet<()>,
}

/// Ticks each task at once and then at its interval, as long as this host has the task's lease.
pub fn start(database: &Database, tasks: Vec<(Arc<dyn Task>, Duration)>) -> Schedule {
    let stopping = CancellationToken::new();
    let mut running = JoinSet::new();
    for (task, every) in tasks {
        running.spawn(run(task, every, database.leases(), stopping.clone()));
    }
    Schedule { stopping, tasks: running }
}

impl Schedule {
    /// Begins no further tick, and waits up to ten seconds for those under way.
    pub async fn stop(mut self, patience: Duration) {
        self.stopping.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(patience, ended).await.is_err() {
            tracing::warn!("ticks did not finish in time; they were cut off");
        }
    }
}

/// Ticks whenever the lease is this host's.
async fn run(task: Arc<dyn Task>, every: Duration, leases: Leases, stopping: CancellationToken) {
    let name = format!("tick/{}", task.component());
    loop {
        let lease = tokio::select! {
            () = stopping.cancelled() => return,
            lease = leases.take(&name) => lease,
        };
        tokio::select! {
            biased;
            // Another host may tick from now on, so the tick under way is dropped.
            () = lease.lost() => tracing::warn!(component = task.component(), "lost the lease on the ticks; taking it up again"),
            () = tick_on(&*task, every, &stopping) => return,
        }
    }
}

/// Ticks until it is stopped.
async fn tick_on(task: &dyn Task, every: Duration, stopping: &CancellationToken) {
    // tokio's intervals must not be nothing.
    let mut clock = interval(every.max(Duration::from_millis(1)));
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = 0_u32;
    loop {
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            _ = clock.tick() => {}
        }
        let began = Instant::now();
        let Err(TickFailure { reason, pause }) = task.tick().await else {
            failures = 0;
            continue;
        };
        if let Some(pause) = pause {
            clock.reset_at((began + every).max(Instant::now() + pause.min(PAUSE_ASKED)));
        }
        failures = failures.saturating_add(1);
        // The first failure is told, then every tenth: what a tick needs may be away for long.
        if failures % 10 == 1 {
            tracing::warn!(component = task.component(), reason, "a tick failed; the next one comes all the same");
        }
    }
}
