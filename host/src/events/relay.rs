//! The relay of one outbox: from its table to the bus.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    Bus, EventsError, Outbox,
    backlog::{Backlogs, Teller},
    lanes::Lanes,
    looks::Looks,
    outbox::Table,
};
use crate::{backoff, database::Leases};

/// How often one looks into the table unasked.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long what is told is collected before the next look, so that a busy component does not make the relay busier still.
const COLLECT: Duration = Duration::from_millis(3);

/// The longest pause while the outbox does not answer: what waits in it is to go on soon after the database is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

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
            tokio::select! {
                biased;
                // Another host may relay from now on, so what is under way here is dropped.
                () = lease.lost() => tracing::warn!(component = self.component, "lost the lease on the outbox; taking it up again"),
                ((), ()) = join(self.relay(&teller), beside) => return,
            }
        }
    }

    /// Looks, hands over and marks until it is stopped: nothing else ends it, for then nobody would relay any more.
    async fn relay(&self, teller: &Teller) {
        let mut lanes = Lanes::new(Arc::clone(&self.bus));
        let mut failures = 0;
        let mut times = Times::new();
        while !self.stopping.is_cancelled() {
            match self.step(&mut lanes, teller, &mut times).await {
                Ok(progress) => {
                    if std::mem::take(&mut failures) > 0 {
                        tracing::info!(component = self.component, "the outbox answers again");
                    }
                    if !progress {
                        self.rest(&mut lanes).await;
                    }
                }
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        tracing::warn!(component = self.component, %error, "the outbox does not answer; trying on");
                    }
                    tokio::select! {
                        () = self.stopping.cancelled() => {}
                        () = tokio::time::sleep(backoff::pause(failures).min(LONGEST_PAUSE)) => {}
                    }
                }
            }
        }
        self.finish(lanes).await;
    }

    /// Marks what was taken and hands over what is new; says whether there was any of it.
    async fn step(&self, lanes: &mut Lanes, teller: &Teller, times: &mut Times) -> Result<bool, sqlx::Error> {
        let marked = self.mark(lanes).await?;
        if marked {
            times.looks.are_worthwhile();
        }
        let found = times.looks.are_due() && self.look(lanes, teller, times).await?;
        teller.refused(lanes.refused());
        if Instant::now() >= times.count {
            teller.waiting(self.table.waiting().await?);
            times.count = Instant::now() + COUNT_EVERY;
        }
        let progress = found || marked;
        if !progress && Instant::now() >= times.clean_up && !self.table.clean_up().await? {
            times.clean_up = Instant::now() + CLEAN_UP_EVERY;
        }
        Ok(progress)
    }

    /// Hands over what is new; says whether there was any.
    async fn look(&self, lanes: &mut Lanes, teller: &Teller, times: &mut Times) -> Result<bool, sqlx::Error> {
        let began = Instant::now();
        let (full_topics, (topics, keys)) = (lanes.full_topics(), lanes.open_keys());
        let events = self.table.unpublished(&full_topics, &topics, &keys).await?;
        if events.is_empty() && topics.is_empty() {
            // Nothing waits, so it need not be counted.
            teller.waiting(0);
            times.count = Instant::now() + COUNT_EVERY;
            lanes.forget_refused();
        }
        let found = lanes.open(events);
        times.looks.made(began.elapsed(), found, lanes.are_full(&full_topics));
        Ok(found)
    }

    /// Marks what was taken; says whether a key has become free by it.
    async fn mark(&self, lanes: &mut Lanes) -> Result<bool, sqlx::Error> {
        let taken = lanes.taken();
        if !taken.is_empty() {
            self.table.mark(taken).await?;
        }
        let news = lanes.has_news();
        drop(lanes.marked());
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
        loop {
            // What is known already is not told again.
            if let Err(error) = self.mark(&mut lanes).await {
                tracing::warn!(component = self.component, %error, "events that were taken could not be marked; they will be delivered again");
                return;
            }
            if !lanes.are_open() {
                return;
            }
            lanes.told().await;
        }
    }
}

/// When one does what one does not do at every step.
struct Times {
    looks: Looks,
    count: Instant,
    clean_up: Instant,
}

impl Times {
    fn new() -> Self {
        Self { looks: Looks::new(), count: Instant::now(), clean_up: Instant::now() }
    }
}
