//! The relay of one outbox: from its table to the bus.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Bus, Event, EventsError, Outbox,
    backlog::{Backlogs, Teller},
    carry::{Told, Upstream, carry},
    lanes::Lanes,
    looks::Full,
    outbox::Table,
};
use crate::database::Leases;

/// How often one looks into the table unasked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often the rows that wait are counted, while there are any.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// How often old rows are cleaned up.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(600);

/// Carries one component's events.
pub(super) struct Relay {
    component: String,
    table: Table,
    wake: Arc<Notify>,
    bus: Arc<dyn Bus>,
    backlogs: Arc<Backlogs>,
    stopping: CancellationToken,
}

/// The outbox, while the lease on it is held.
struct Held<'a> {
    relay: &'a Relay,
    teller: &'a Teller,
    count: Instant,
    clean_up: Instant,
}

impl Relay {
    /// Looks whether the outbox is there and as it must be.
    pub(super) async fn open(
        outbox: Outbox,
        bus: Arc<dyn Bus>,
        backlogs: Arc<Backlogs>,
        stopping: CancellationToken,
    ) -> Result<Self, EventsError> {
        let table = Table::open(&outbox).await?;
        Ok(Self { component: outbox.component, table, wake: outbox.wake, bus, backlogs, stopping })
    }

    /// Relays whenever the lease is this host's, until it is stopped.
    pub(super) async fn run(self, leases: Leases) {
        let name = format!("outbox/{}", self.component);
        loop {
            let lease = tokio::select! {
                () = self.stopping.cancelled() => return,
                lease = leases.take(&name) => lease,
            };
            let teller = self.backlogs.teller(&self.component);
            let beside = self.bus.take_over(&self.component);
            let held = Held { relay: &self, teller: &teller, count: Instant::now(), clean_up: Instant::now() };
            tokio::select! {
                biased;
                // Another host may relay from now on, so what is under way here is dropped.
                () = lease.lost() => {
                    tracing::warn!(component = self.component, "lost the lease on the outbox; taking it up again");
                    self.bus.give_up();
                }
                ((), ()) = join(carry(held, Arc::clone(&self.bus), &self.stopping), beside) => return,
            }
        }
    }
}

impl Upstream for Held<'_> {
    async fn prepare(&mut self) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn mark(&mut self, taken: &[Uuid]) -> Result<(), sqlx::Error> {
        self.relay.table.mark(taken).await
    }

    async fn let_go(&mut self, _keys: Vec<String>) -> Result<(), sqlx::Error> {
        Ok(())
    }

    fn may_have_some(&self) -> bool {
        true
    }

    async fn next(&mut self, lanes: &mut Lanes, full_topics: &[String]) -> Result<Vec<Event>, sqlx::Error> {
        let (topics, keys) = lanes.open_keys();
        let events = self.relay.table.unpublished(full_topics, &topics, &keys).await?;
        if events.is_empty() && topics.is_empty() {
            // Nothing waits, so it need not be counted.
            self.teller.waiting(0);
            self.count = Instant::now() + COUNT_EVERY;
            lanes.forget_refused();
        }
        Ok(events)
    }

    fn passes_over(&self, _lanes: &Lanes, full: Full) -> Full {
        full
    }

    async fn beside(&mut self, lanes: &Lanes, progress: bool) -> Result<(), sqlx::Error> {
        self.teller.refused(lanes.refused());
        if Instant::now() >= self.count {
            self.teller.waiting(self.relay.table.waiting().await?);
            self.count = Instant::now() + COUNT_EVERY;
        }
        if !progress && Instant::now() >= self.clean_up && !self.relay.table.clean_up().await? {
            self.clean_up = Instant::now() + CLEAN_UP_EVERY;
        }
        Ok(())
    }

    async fn news(&self) {
        self.relay.wake.notified().await;
    }

    fn look_again_after(&self) -> Duration {
        LOOK_EVERY
    }

    fn tell(&self, what: Told<'_>) {
        let component = &self.relay.component;
        match what {
            Told::Silent(error) => tracing::warn!(component, %error, "the outbox does not answer; trying on"),
            Told::AnswersAgain => tracing::info!(component, "the outbox answers again"),
            Told::NotMarked(error) => {
                tracing::warn!(component, %error, "events that were taken cannot be marked; trying on while it stops, after which they will be delivered again");
            }
        }
    }
}
