//! The relay of one outbox: from its table to the bus.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Bus, EventsError, Outbox, backoff, lanes::Lanes, outbox::Table};
use crate::database::{Lease, Leases};

/// How often one looks into the table unasked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long what is told is collected before the next look, so that a busy component does not make the relay busier still.
const COLLECT: Duration = Duration::from_millis(3);

/// How often old rows are cleaned up.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(600);

/// Carries one component's events.
pub(super) struct Relay {
    component: String,
    table: Table,
    wake: Arc<Notify>,
    bus: Arc<dyn Bus>,
    stopping: CancellationToken,
}

impl Relay {
    /// Looks whether the outbox is there and as it must be.
    pub(super) async fn open(
        outbox: Outbox,
        bus: Arc<dyn Bus>,
        stopping: CancellationToken,
    ) -> Result<Self, EventsError> {
        let table = Table::open(&outbox).await?;
        Ok(Self { component: outbox.component, table, wake: outbox.wake, bus, stopping })
    }

    /// Relays whenever the lease is this host's, until it is stopped.
    pub(super) async fn run(self, leases: Leases) {
        let name = format!("outbox/{}", self.component);
        loop {
            let lease = tokio::select! {
                () = self.stopping.cancelled() => return,
                lease = leases.take(&name) => lease,
            };
            let mut lanes = Lanes::new(Arc::clone(&self.bus));
            tokio::select! {
                () = lease.lost() => tracing::warn!(component = self.component, "lost the lease on the outbox; taking it up again"),
                () = self.relay(&lease, &mut lanes) => return self.finish(lanes).await,
            }
        }
    }

    /// Looks, hands over and marks until it is stopped.
    async fn relay(&self, lease: &Lease, lanes: &mut Lanes) {
        let mut failures = 0;
        let mut clean_up_at = Instant::now();
        while !self.stopping.is_cancelled() && lease.held() {
            match self.step(lanes, &mut clean_up_at).await {
                Ok(progress) => {
                    if std::mem::take(&mut failures) > 0 {
                        tracing::info!(component = self.component, "the outbox answers again");
                    }
                    if !progress {
                        self.rest(lanes).await;
                    }
                }
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        tracing::warn!(component = self.component, %error, "the outbox does not answer; trying on");
                    }
                    tokio::select! {
                        () = self.stopping.cancelled() => {}
                        () = tokio::time::sleep(backoff::pause(failures)) => {}
                    }
                }
            }
        }
    }

    /// Marks what was taken and hands over what is new; says whether there was any of it.
    async fn step(&self, lanes: &mut Lanes, clean_up_at: &mut Instant) -> Result<bool, sqlx::Error> {
        let marked = self.mark(lanes).await?;
        let (topics, keys) = lanes.open_keys();
        let events = self.table.unpublished(&lanes.full_topics(), &topics, &keys).await?;
        let progress = lanes.open(events) || marked;
        if !progress && Instant::now() >= *clean_up_at && !self.table.clean_up().await? {
            *clean_up_at = Instant::now() + CLEAN_UP_EVERY;
        }
        Ok(progress)
    }

    /// Marks what was taken; says whether a key has become free by it.
    async fn mark(&self, lanes: &mut Lanes) -> Result<bool, sqlx::Error> {
        let taken = lanes.taken();
        if !taken.is_empty() {
            self.table.mark(taken).await?;
        }
        let news = lanes.has_news();
        lanes.marked();
        Ok(news)
    }

    /// Waits for something to do.
    async fn rest(&self, lanes: &mut Lanes) {
        tokio::select! {
            () = self.stopping.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => return,
            () = self.wake.notified() => {}
            () = lanes.told() => {}
        }
        tokio::time::sleep(COLLECT).await;
    }

    /// Lets handlers under way finish, and marks at once what each took: the time for this is bounded.
    async fn finish(&self, mut lanes: Lanes) {
        while lanes.are_open() {
            lanes.told().await;
            if let Err(error) = self.mark(&mut lanes).await {
                tracing::warn!(component = self.component, %error, "events that were taken could not be marked; they will be delivered again");
                return;
            }
        }
    }
}
