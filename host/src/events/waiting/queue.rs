//! What one outbox has for one subscriber of one topic.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{FutureExt, future::BoxFuture};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    keys::Keys,
    table::{Table, Whose},
};
use crate::events::{
    Bus, BusError, Event,
    carry::{Told, Upstream, carry},
    dead_letters::InTable,
    group::{Group, Letter, Undelivered},
    lanes::Lanes,
    lines::{Lines, Place},
    looks::Full,
    tally::Waiting,
};

/// How long an event is delivered straight from its outbox before it has to wait here.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause before one tries again what the database did not take.
const DATABASE_PAUSE: Duration = Duration::from_secs(1);

/// How often one looks unasked, while anything waits, and how often what waits is counted.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often the keys are read again: a host that lost its lease in the midst of it may have put an event here after the next one had read
/// them. That event is still in its outbox as well, so this is for tidiness.
const READ_EVERY: Duration = Duration::from_secs(60);

/// A queue.
pub(in crate::events) struct Queue {
    group: Arc<Group>,
    whose: Whose,
    keys: Keys,
    table: Table,
    dead_letters: InTable,
    stopping: CancellationToken,
}

/// An event, and the table it goes to when it is rejected.
struct Delivered<'a> {
    event: &'a Event,
    dead_letters: &'a InTable,
}

/// The way from the table to the subscriber, as its lanes see it.
struct Onward {
    queue: Arc<Queue>,
    /// Apart from the group's own: what joins those comes straight from the outbox, and goes behind what is here by going into the table.
    lines: Lines,
}

/// A queue while it is carried on.
struct Carried<'a> {
    queue: &'a Queue,
    told: Waiting<'a>,
    read: Instant,
    count: Instant,
}

impl Queue {
    /// What waits of the events of `source` is not known before [`Queue::carry`] runs, and nothing is delivered until then.
    pub(in crate::events) fn new(
        group: Arc<Group>,
        source: &str,
        table: Table,
        dead_letters: InTable,
        stopping: CancellationToken,
    ) -> Self {
        let (component, topic) = (group.component().to_owned(), group.topic.clone());
        let whose = Whose { source: source.to_owned(), component, topic };
        Self { group, whose, keys: Keys::new(), table, dead_letters, stopping }
    }

    /// Whose queue it is.
    pub(in crate::events) fn topic(&self) -> &str {
        &self.whose.topic
    }

    /// Takes a place behind all of the same key that came straight from an outbox.
    pub(in crate::events) fn join(&self, key: &str) -> Place {
        self.group.join(key)
    }

    /// Brings an event to the subscriber, or has it wait.
    ///
    /// # Errors
    /// [`BusError::Stopping`]
    pub(in crate::events) async fn deliver(&self, mut place: Place, event: &Event) -> Result<(), BusError> {
        self.unless_stopped(self.keys.known()).await?;
        place.at_head().await;
        let letter = Delivered { event, dead_letters: &self.dead_letters };
        loop {
            if !self.keys.contain(&event.key) {
                let deadline = tokio::time::Instant::now() + self.patience();
                match self.group.deliver_by(Some(deadline), &letter, &self.stopping).await {
                    Ok(()) => return Ok(()),
                    Err(Undelivered::Stopped) => return Err(BusError::Stopping),
                    Err(Undelivered::NotInTime { not_before }) => self.keys.rest(&event.key, not_before),
                }
                if !self.keys.add(&event.key) {
                    // It goes on waiting in its outbox, which holds up others once there are many of its kind.
                    let delivered = self.group.deliver_by(None, &letter, &self.stopping).await;
                    return delivered.map_err(|_| BusError::Stopping);
                }
            }
            match self.put(event).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    tracing::debug!(event.id = %event.id, %error, "an event cannot be put where it would wait; trying on");
                    self.unless_stopped(tokio::time::sleep(DATABASE_PAUSE)).await?;
                }
            }
        }
    }

    /// How long an event is delivered before it has to wait. Where the events of many keys do already, the subscriber is away, and a
    /// try has to do: whatever is tried for longer has one of the places that all subscribers of the topic share.
    fn patience(&self) -> Duration {
        if self.keys.are_many() { Duration::ZERO } else { PATIENCE }
    }

    /// Carries on what waits until the host stops, and lets then finish what is under way.
    pub(in crate::events) async fn carry(self: Arc<Self>) {
        let onward = Arc::new(Onward { queue: Arc::clone(&self), lines: Lines::default() });
        let told = self.group.tally().waiting_of(&self.whose.source);
        let carried = Carried { queue: &self, told, read: Instant::now(), count: Instant::now() };
        carry(carried, onward, &self.stopping).await;
    }

    async fn put(&self, event: &Event) -> Result<(), sqlx::Error> {
        self.keys.add(&event.key);
        self.table.put(&self.whose, event).await?;
        // While the row was on its way, the key may have been found to be empty.
        self.keys.add(&event.key);
        self.keys.news.notify_one();
        Ok(())
    }

    async fn unless_stopped(&self, what: impl Future<Output = ()>) -> Result<(), BusError> {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Err(BusError::Stopping),
            () = what => Ok(()),
        }
    }
}

impl Upstream for Carried<'_> {
    async fn prepare(&mut self) -> Result<(), sqlx::Error> {
        if Instant::now() >= self.read {
            let Queue { keys, table, whose, .. } = self.queue;
            let seen = keys.seen();
            keys.found(table.keys(whose).await?, seen);
            self.read = Instant::now() + READ_EVERY;
        }
        Ok(())
    }

    async fn mark(&mut self, taken: &[Uuid]) -> Result<(), sqlx::Error> {
        self.queue.table.remove(&self.queue.whose, taken).await
    }

    async fn let_go(&mut self, mut ended: Vec<String>) -> Result<(), sqlx::Error> {
        let Queue { keys, table, whose, .. } = self.queue;
        let seen = keys.seen();
        let left = table.of_these(whose, &ended).await?;
        ended.retain(|key| !left.contains(key));
        keys.forget(&ended, seen);
        Ok(())
    }

    fn may_have_some(&self) -> bool {
        self.queue.keys.any()
    }

    async fn next(&mut self, lanes: &mut Lanes, full_topics: &[String]) -> Result<Vec<Event>, sqlx::Error> {
        if !full_topics.is_empty() {
            return Ok(Vec::new());
        }
        let (_, keys) = lanes.open_keys();
        self.queue.table.longest(&self.queue.whose, &keys).await
    }

    fn passes_over(&self, lanes: &Lanes, full: Full) -> Full {
        // Whatever waits of the keys in hand, and that may be much.
        match full {
            Full::No if lanes.are_open() => Full::Some,
            full => full,
        }
    }

    async fn beside(&mut self, _lanes: &Lanes, _progress: bool) -> Result<(), sqlx::Error> {
        let Queue { keys, table, whose, .. } = self.queue;
        if !keys.any() {
            self.told.are(0);
        } else if Instant::now() >= self.count {
            self.count = Instant::now() + LOOK_EVERY;
            self.told.are(table.count(whose).await?);
        }
        Ok(())
    }

    async fn news(&self) {
        self.queue.keys.news.notified().await;
    }

    fn look_again_after(&self) -> Duration {
        if self.queue.keys.any() { LOOK_EVERY } else { READ_EVERY }
    }

    fn tell(&self, what: Told<'_>) {
        let Whose { source, component, topic } = &self.queue.whose;
        match what {
            Told::Silent(error) => {
                tracing::warn!(source, component, topic, %error, "the events that wait cannot be read; trying on");
            }
            Told::AnswersAgain => tracing::info!(source, component, topic, "the events that wait can be read again"),
            Told::NotMarked(error) => {
                tracing::warn!(component, %error, "events that were taken cannot be noted; trying on while it stops, after which they will be delivered again");
            }
        }
    }
}

impl Bus for Onward {
    fn publish<'a>(&'a self, event: &'a Event) -> Result<BoxFuture<'a, Result<(), BusError>>, BusError> {
        let Queue { group, dead_letters, stopping, keys, .. } = &*self.queue;
        let place = self.lines.join(&event.key);
        let rest = keys.rest_of(&event.key);
        let delivering = async move {
            if let Some(not_before) = rest {
                self.queue.unless_stopped(tokio::time::sleep_until(not_before)).await?;
            }
            let letter = Delivered { event, dead_letters };
            group.deliver(place, &letter, stopping).await.map_err(|_| BusError::Stopping)
        };
        Ok(delivering.boxed())
    }
}

impl Letter for Delivered<'_> {
    fn topic(&self) -> &str {
        &self.event.topic
    }

    fn event(&self) -> Result<&Event, &str> {
        Ok(self.event)
    }

    fn bury<'a>(&'a self, component: &'a str, reason: &'a str) -> BoxFuture<'a, Result<(), String>> {
        let keeping = self.dead_letters.keep(self.event, component, reason);
        async move { keeping.await.map_err(|error| error.to_string()) }.boxed()
    }
}
