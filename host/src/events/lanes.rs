//! Events in hand: a lane per key, so that one key's trouble holds up no other.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, stream::FuturesOrdered};
use tokio::{sync::mpsc, task::JoinSet};
use uuid::Uuid;

use super::{Bus, BusError, Event};

/// Keys of one topic in hand at once, parked ones included; beyond it the topic's further keys wait.
const LANES_PER_TOPIC: usize = 1024;

/// Events of one key in hand at once.
const LANE_EVENTS: usize = 16;

/// How long a key rests when the bus did not take its event.
const BUS_PAUSE: Duration = Duration::from_secs(1);

/// Topic and key.
type Key = (String, String);

/// The lanes of one relay.
pub(super) struct Lanes {
    bus: Arc<dyn Bus>,
    open: HashSet<Key>,
    tasks: JoinSet<()>,
    report: mpsc::UnboundedSender<Report>,
    reports: mpsc::UnboundedReceiver<Report>,
    taken: Vec<Uuid>,
    ended: Vec<Key>,
}

/// What a lane tells. There are never more than a lane's events and its end.
enum Report {
    Taken(Uuid),
    Ended(Key),
}

impl Lanes {
    pub(super) fn new(bus: Arc<dyn Bus>) -> Self {
        let (report, reports) = mpsc::unbounded_channel();
        Self { bus, open: HashSet::new(), tasks: JoinSet::new(), report, reports, taken: Vec::new(), ended: Vec::new() }
    }

    /// Topics with as many keys in hand as they may have.
    pub(super) fn full_topics(&self) -> Vec<String> {
        let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
        for (topic, _) in &self.open {
            *counts.entry(topic).or_default() += 1;
        }
        counts.into_iter().filter(|(_, count)| *count >= LANES_PER_TOPIC).map(|(topic, _)| topic.clone()).collect()
    }

    /// Topics and keys in hand, in two lists of the same order.
    pub(super) fn open_keys(&self) -> (Vec<String>, Vec<String>) {
        self.open.iter().cloned().unzip()
    }

    /// Opens a lane for each key of the events; returns whether there was any. Those beyond a lane's measure are left for later.
    pub(super) fn open(&mut self, events: Vec<Event>) -> bool {
        let mut by_key: Vec<(Key, Vec<Event>)> = Vec::new();
        for event in events {
            let key = (event.topic.clone(), event.key.clone());
            match by_key.iter_mut().find(|(known, _)| *known == key) {
                Some((_, events)) if events.len() < LANE_EVENTS => events.push(event),
                Some(_) => {}
                None => by_key.push((key, vec![event])),
            }
        }
        let any = !by_key.is_empty();
        for (key, events) in by_key {
            if self.open.insert(key.clone()) {
                self.tasks.spawn(run(Arc::clone(&self.bus), key, events, self.report.clone()));
            }
        }
        any
    }

    /// Waits until a lane has told something; forever if there is none.
    pub(super) async fn told(&mut self) {
        if let Some(report) = self.reports.recv().await {
            self.note(report);
        }
    }

    /// Events that were taken and not yet marked.
    pub(super) fn taken(&mut self) -> &[Uuid] {
        while let Ok(report) = self.reports.try_recv() {
            self.note(report);
        }
        while self.tasks.try_join_next().is_some() {}
        &self.taken
    }

    /// Says that those are marked now. Only then may the keys whose lanes have ended be looked up again.
    pub(super) fn marked(&mut self) {
        self.taken.clear();
        for key in self.ended.drain(..) {
            self.open.remove(&key);
        }
    }

    /// Are there ended lanes or taken events that [`Lanes::marked`] has not seen yet?
    pub(super) fn has_news(&self) -> bool {
        !self.taken.is_empty() || !self.ended.is_empty()
    }

    /// Is any lane open?
    pub(super) fn are_open(&self) -> bool {
        !self.open.is_empty()
    }

    fn note(&mut self, report: Report) {
        match report {
            Report::Taken(id) => self.taken.push(id),
            Report::Ended(key) => self.ended.push(key),
        }
    }
}

/// Hands a key's events over in order and tells of each acknowledgement.
async fn run(bus: Arc<dyn Bus>, key: Key, events: Vec<Event>, report: mpsc::UnboundedSender<Report>) {
    let mut acknowledgements: FuturesOrdered<_> = events
        .iter()
        .map(|event| {
            let publishing = bus.publish(event);
            async { (event.id, publishing.await) }
        })
        .collect();
    while let Some((id, outcome)) = acknowledgements.next().await {
        match outcome {
            // The relay that listened is gone when this fails, and so is the need to tell it.
            Ok(()) => drop(report.send(Report::Taken(id))),
            Err(BusError::Stopping) => break,
            Err(error) => {
                let (topic, key) = &key;
                tracing::warn!(event.id = %id, event.topic = topic, event.key = key, %error, "an event was not published and will be again");
                // The ones behind it must not overtake it.
                acknowledgements = FuturesOrdered::new();
                tokio::time::sleep(BUS_PAUSE).await;
            }
        }
    }
    drop(report.send(Report::Ended(key)));
}
