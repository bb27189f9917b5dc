//! Events in hand: a lane per key, so that one key's trouble holds up no other.

mod lane;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::lane::{Key, Report, run};
use super::{Bus, Event, looks::Full};
use crate::limits::{LANE_EVENTS, LANES_BYTES_PER_TOPIC, LANES_PER_TOPIC};

/// The lanes of one relay.
pub(super) struct Lanes {
    bus: Arc<dyn Bus>,
    /// None rests any longer once this is cancelled.
    stopping: CancellationToken,
    /// Those that are open, and how many bytes each has in hand.
    open: HashMap<Key, usize>,
    /// Topics that were ever in hand.
    topics: BTreeSet<String>,
    tasks: JoinSet<()>,
    report: mpsc::UnboundedSender<Report>,
    reports: mpsc::UnboundedReceiver<Report>,
    taken: Vec<Uuid>,
    ended: Vec<Key>,
    /// Keys of which the bus refuses an event, and how often it has.
    refused: HashMap<Key, u32>,
}

impl Lanes {
    pub(super) fn new(bus: Arc<dyn Bus>, stopping: CancellationToken) -> Self {
        let (report, reports) = mpsc::unbounded_channel();
        Self {
            bus,
            stopping,
            open: HashMap::new(),
            topics: BTreeSet::new(),
            tasks: JoinSet::new(),
            report,
            reports,
            taken: Vec::new(),
            ended: Vec::new(),
            refused: HashMap::new(),
        }
    }

    /// Topics with as many keys in hand as they may have, or as many bytes.
    pub(super) fn full_topics(&self) -> Vec<String> {
        let mut held: BTreeMap<&String, (usize, usize)> = BTreeMap::new();
        for ((topic, _), more) in &self.open {
            let (keys, bytes) = held.entry(topic).or_default();
            *keys += 1;
            *bytes += more;
        }
        let full =
            held.into_iter().filter(|(_, (keys, bytes))| *keys >= LANES_PER_TOPIC || *bytes >= LANES_BYTES_PER_TOPIC);
        full.map(|(topic, _)| topic.clone()).collect()
    }

    /// How many topics those are.
    pub(super) fn are_full(&self, full_topics: &[String]) -> Full {
        match full_topics.len() {
            0 => Full::No,
            count if count < self.topics.len() => Full::Some,
            _ => Full::All,
        }
    }

    /// Topics and keys in hand, in two lists of the same order.
    pub(super) fn open_keys(&self) -> (Vec<String>, Vec<String>) {
        self.open.keys().cloned().unzip()
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
            if !self.open.contains_key(&key) {
                self.open.insert(key.clone(), events.iter().map(Event::bytes).sum());
                if !self.topics.contains(&key.0) {
                    self.topics.insert(key.0.clone());
                }
                let refusals = self.refused.get(&key).copied().unwrap_or_default();
                let (bus, stopping) = (Arc::clone(&self.bus), self.stopping.clone());
                self.tasks.spawn(run(bus, key, events, refusals, self.report.clone(), stopping));
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

    /// Says that those are marked now. Only then may the keys whose lanes have ended be looked up again: these are returned.
    pub(super) fn marked(&mut self) -> Vec<String> {
        self.taken.clear();
        let ended = std::mem::take(&mut self.ended);
        for key in &ended {
            self.open.remove(key);
        }
        ended.into_iter().map(|(_, key)| key).collect()
    }

    /// Are there ended lanes or taken events that [`Lanes::marked`] has not seen yet?
    pub(super) fn has_news(&self) -> bool {
        !self.taken.is_empty() || !self.ended.is_empty()
    }

    /// Is any lane open?
    pub(super) fn are_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Keys of which the bus refuses an event.
    pub(super) fn refused(&self) -> usize {
        self.refused.len()
    }

    /// Nothing waits any more: what was refused is gone, if somebody took it out of the table by hand.
    pub(super) fn forget_refused(&mut self) {
        self.refused.clear();
    }

    fn note(&mut self, report: Report) {
        match report {
            Report::Taken(id) => self.taken.push(id),
            Report::Ended { key, refusals } => {
                if refusals > 0 {
                    self.refused.insert(key.clone(), refusals);
                } else {
                    self.refused.remove(&key);
                }
                self.ended.push(key);
            }
        }
    }
}
