//! What one outbox has for one subscriber of one topic.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{FutureExt, future::BoxFuture};
use tokio_util::sync::CancellationToken;

use super::{
    keys::Keys,
    table::{Table, Whose},
};
use crate::{
    backoff,
    events::{
        Bus, BusError, Event,
        dead_letters::InTable,
        group::{Group, Letter, Undelivered},
        lanes::Lanes,
        lines::{Lines, Place},
        looks::{Full, Looks},
    },
};

/// How long an event is delivered straight from its outbox before it has to wait here.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause before one tries again what the database did not take.
const DATABASE_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause while the database does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often one looks unasked, while anything waits, and how often what waits is counted.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often the keys are read again: a host that lost its lease in the midst of it may have put an event here after the next one had read
/// them. That event is still in its outbox as well, so this is for tidiness.
const READ_EVERY: Duration = Duration::from_secs(60);

/// How long what is told is collected before the next look.
const COLLECT: Duration = Duration::from_millis(3);

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

/// When one does what one does not do at every step.
struct Times {
    looks: Looks,
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
        let mut lanes = Lanes::new(Arc::new(Onward { queue: Arc::clone(&self), lines: Lines::default() }));
        let mut times = Times { looks: Looks::new(), read: Instant::now(), count: Instant::now() };
        let waiting = self.group.tally().waiting_of(&self.whose.source);
        let mut failures = 0;
        while !self.stopping.is_cancelled() {
            match self.step(&mut lanes, &mut times).await {
                Ok((progress, count)) => {
                    failures = 0;
                    if let Some(count) = count {
                        waiting.are(count);
                    }
                    if !progress {
                        self.rest(&mut lanes).await;
                    }
                }
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        let Whose { source, component, topic } = &self.whose;
                        tracing::warn!(source, component, topic, %error, "the events that wait cannot be read; trying on");
                    }
                    let pause = tokio::time::sleep(backoff::pause(failures).min(LONGEST_PAUSE));
                    drop(self.unless_stopped(pause).await);
                }
            }
        }
        self.finish(lanes).await;
    }

    async fn put(&self, event: &Event) -> Result<(), sqlx::Error> {
        self.keys.add(&event.key);
        self.table.put(&self.whose, event).await?;
        // While the row was on its way, the key may have been found to be empty.
        self.keys.add(&event.key);
        self.keys.news.notify_one();
        Ok(())
    }

    /// Removes what was taken and hands over what waits; says whether there was any of it, and how much waits where that was counted.
    async fn step(&self, lanes: &mut Lanes, times: &mut Times) -> Result<(bool, Option<u64>), sqlx::Error> {
        if Instant::now() >= times.read {
            let seen = self.keys.seen();
            self.keys.found(self.table.keys(&self.whose).await?, seen);
            times.read = Instant::now() + READ_EVERY;
        }
        let removed = self.remove(lanes).await?;
        if removed {
            times.looks.are_worthwhile();
        }
        let found = self.keys.any() && times.looks.are_due() && self.look(lanes, times).await?;
        if !self.keys.any() {
            return Ok((removed, Some(0)));
        }
        if Instant::now() < times.count {
            return Ok((found || removed, None));
        }
        times.count = Instant::now() + LOOK_EVERY;
        Ok((found || removed, Some(self.table.count(&self.whose).await?)))
    }

    async fn look(&self, lanes: &mut Lanes, times: &mut Times) -> Result<bool, sqlx::Error> {
        let (began, full) = (Instant::now(), lanes.full_topics());
        let (_, keys) = lanes.open_keys();
        let events = if full.is_empty() { self.table.longest(&self.whose, &keys).await? } else { Vec::new() };
        let found = lanes.open(events);
        // Whatever waits of the keys in hand is passed over by each look, and that may be much.
        let full = match lanes.are_full(&full) {
            Full::No if lanes.are_open() => Full::Some,
            full => full,
        };
        times.looks.made(began.elapsed(), found, full);
        Ok(found)
    }

    /// Removes what was taken; says whether a key has become free by it.
    async fn remove(&self, lanes: &mut Lanes) -> Result<bool, sqlx::Error> {
        let taken = lanes.taken();
        if !taken.is_empty() {
            self.table.remove(&self.whose, taken).await?;
        }
        let news = lanes.has_news();
        let mut ended = lanes.marked();
        if !ended.is_empty() {
            let seen = self.keys.seen();
            let left = self.table.of_these(&self.whose, &ended).await?;
            ended.retain(|key| !left.contains(key));
            self.keys.forget(&ended, seen);
        }
        Ok(news)
    }

    /// Waits for something to do.
    async fn rest(&self, lanes: &mut Lanes) {
        let pause = if self.keys.any() { LOOK_EVERY } else { READ_EVERY };
        tokio::select! {
            () = self.stopping.cancelled() => return,
            () = tokio::time::sleep(pause) => return,
            () = self.keys.news.notified() => {}
            () = lanes.told() => {}
        }
        tokio::time::sleep(COLLECT).await;
    }

    async fn finish(&self, mut lanes: Lanes) {
        loop {
            // What is known already is not told again.
            if let Err(error) = self.remove(&mut lanes).await {
                let component = &self.whose.component;
                tracing::warn!(component, %error, "events that were taken could not be noted; they will be delivered again");
                return;
            }
            if !lanes.are_open() {
                return;
            }
            lanes.told().await;
        }
    }

    async fn unless_stopped(&self, what: impl Future<Output = ()>) -> Result<(), BusError> {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Err(BusError::Stopping),
            () = what => Ok(()),
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
