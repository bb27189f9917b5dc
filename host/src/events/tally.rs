//! What is counted of events, for as long as the host runs: relays and subscribers come and go with the manifest.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::backlog::{Backlog, Backlogs};

/// What is counted of all topics and outboxes, and whether the bus is there.
#[derive(Default)]
pub struct Tally {
    groups: Mutex<BTreeMap<(String, String), Arc<GroupTally>>>,
    /// The outboxes that this host relays.
    pub(super) backlogs: Arc<Backlogs>,
    away: AtomicBool,
}

/// What is counted of one subscriber of one topic.
#[derive(Default)]
pub struct GroupTally {
    taken: AtomicU64,
    retries: AtomicU64,
    rejected: AtomicU64,
    parked: AtomicU64,
    lag: Mutex<BTreeMap<i32, i64>>,
    waiting: Mutex<BTreeMap<String, u64>>,
}

/// One subscriber of one topic, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupCount {
    /// The subscriber.
    pub component: String,
    /// The topic.
    pub topic: String,
    /// Events that it took.
    pub taken: u64,
    /// Deliveries that are made again.
    pub retries: u64,
    /// Events that went to the dead letters.
    pub rejected: u64,
    /// Events that wait for their next delivery.
    pub parked: u64,
    /// Events on the broker that it has not taken yet, by partition; none where the bus is in this process.
    pub lag: BTreeMap<i32, i64>,
    /// Events that it did not take for some seconds, up to 10,000 of each outbox that this host relays; none where the bus is Kafka.
    pub waiting: u64,
}

/// An event waits for its next delivery as long as this lives.
pub(super) struct Parked<'a>(&'a GroupTally);

/// Tells how many events of one source wait, for as long as it lives: then it is another host's to tell.
pub(super) struct Waiting<'a> {
    tally: &'a GroupTally,
    source: &'a str,
}

impl Tally {
    /// What is counted of this subscriber and topic.
    pub(super) fn group(&self, component: &str, topic: &str) -> Arc<GroupTally> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(groups.entry((component.to_owned(), topic.to_owned())).or_default())
    }

    /// Notes whether the bus is there; says whether that is news.
    pub(super) fn bus_is_away(&self, away: bool) -> bool {
        self.away.swap(away, Ordering::Relaxed) != away
    }

    /// Whether the bus takes events and brings them.
    pub fn bus_answers(&self) -> bool {
        !self.away.load(Ordering::Relaxed)
    }

    /// Whether all events flow: the bus is there and refuses none, and every subscriber takes what it is given.
    pub fn is_well(&self) -> bool {
        self.bus_answers()
            && self.backlogs().values().all(|backlog| backlog.refused == 0)
            && self.counts().iter().all(|count| count.waiting == 0)
    }

    /// How the outboxes stand that this host relays, by component.
    pub fn backlogs(&self) -> BTreeMap<String, Backlog> {
        self.backlogs.all()
    }

    /// Every subscriber and topic.
    pub fn counts(&self) -> Vec<GroupCount> {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.iter().map(|((component, topic), tally)| tally.count(component, topic)).collect()
    }
}

impl GroupTally {
    pub(super) fn took(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn parks(&self) -> Parked<'_> {
        self.retries.fetch_add(1, Ordering::Relaxed);
        self.parked.fetch_add(1, Ordering::Relaxed);
        Parked(self)
    }

    /// Notes how far it is behind in each of its partitions; those that it no longer has are another host's to tell.
    pub(super) fn lags(&self, lag: BTreeMap<i32, i64>) {
        *self.lag.lock().unwrap_or_else(PoisonError::into_inner) = lag;
    }

    /// For whoever looks after what waits of a source's events.
    pub(super) fn waiting_of<'a>(&'a self, source: &'a str) -> Waiting<'a> {
        Waiting { tally: self, source }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, component: &str, topic: &str) -> GroupCount {
        GroupCount {
            component: component.to_owned(),
            topic: topic.to_owned(),
            taken: self.taken.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            rejected: self.rejected.load(Ordering::Relaxed),
            parked: self.parked.load(Ordering::Relaxed),
            lag: self.lag.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            waiting: self.waiting().values().sum(),
        }
    }
}

impl Waiting<'_> {
    /// So many wait.
    pub(super) fn are(&self, events: u64) {
        self.tally.waiting().insert(self.source.to_owned(), events);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.tally.waiting().remove(self.source);
    }
}

impl Drop for Parked<'_> {
    fn drop(&mut self) {
        self.0.parked.fetch_sub(1, Ordering::Relaxed);
    }
}
