//! Events in hand: a lane per key, so that one key's trouble holds up no other.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, stream::FuturesOrdered};
use tokio::{sync::mpsc, task::JoinSet};
use uuid::Uuid;

use super::{Bus, BusError, Event, looks::Full};
use crate::{
    backoff,
    limits::{LANE_EVENTS, LANES_PER_TOPIC},
};

/// How long a key rests when the bus did not take its event.
const BUS_PAUSE: Duration = Duration::from_secs(1);

/// Topic and key.
type Key = (String, String);

/// The lanes of one relay.
pub(super) struct Lanes {
    bus: Arc<dyn Bus>,
    open: HashSet<Key>,
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

/// What a lane tells. There are never more than a lane's events and its end.
enum Report {
    Taken(Uuid),
    Ended { key: Key, refusals: u32 },
}

impl Lanes {
    pub(super) fn new(bus: Arc<dyn Bus>) -> Self {
        let (report, reports) = mpsc::unbounded_channel();
        Self {
            bus,
            open: HashSet::new(),
            topics: BTreeSet::new(),
            tasks: JoinSet::new(),
            report,
            reports,
            taken: Vec::new(),
            ended: Vec::new(),
            refused: HashMap::new(),
        }
    }

    /// Topics with as many keys in hand as they may have.
    pub(super) fn full_topics(&self) -> Vec<String> {
        let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
        for (topic, _) in &self.open {
            *counts.entry(topic).or_default() += 1;
        }
        counts.into_iter().filter(|(_, count)| *count >= LANES_PER_TOPIC).map(|(topic, _)| topic.clone()).collect()
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
                if !self.topics.contains(&key.0) {
                    self.topics.insert(key.0.clone());
                }
                let refusals = self.refused.get(&key).copied().unwrap_or_default();
                self.tasks.spawn(run(Arc::clone(&self.bus), key, events, refusals, self.report.clone()));
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

/// Hands a key's events over in order and tells of each acknowledgement. Where the bus refused an event of the key before, each
/// waits for the one before it, so that what is refused for good is not overtaken again and again.
async fn run(bus: Arc<dyn Bus>, key: Key, events: Vec<Event>, refusals: u32, report: mpsc::UnboundedSender<Report>) {
    let at_once = if refusals > 0 { 1 } else { LANE_EVENTS };
    let mut failed = None;
    let mut refusals_before = refusals;
    for events in events.chunks(at_once) {
        failed = hand_over(&*bus, events, &report).await;
        if failed.is_some() {
            break;
        }
        refusals_before = 0;
    }
    let refusals = match failed {
        Some((id, error)) => rest(&key, id, &error, refusals_before).await,
        None => 0,
    };
    drop(report.send(Report::Ended { key, refusals }));
}

/// Rests after the bus did not take an event; returns how often it has refused it by now.
async fn rest((topic, key): &Key, id: Uuid, error: &BusError, refusals: u32) -> u32 {
    match error {
        BusError::Stopping => return 0,
        BusError::Full => {}
        BusError::Unavailable(_) => {
            tracing::debug!(event.id = %id, event.topic = topic, event.key = key, %error, "an event was not published and will be again");
        }
        BusError::TooLarge(_) | BusError::Refused(_) => {
            let refusals = refusals.saturating_add(1);
            // The first is told, then every tenth, which is every five minutes.
            if refusals % 10 == 1 {
                tracing::warn!(
                    event.id = %id,
                    event.topic = topic,
                    event.key = key,
                    refusals,
                    %error,
                    "an event cannot be published; it and those of its key behind it wait until the brokers take it (for its size, a topic's \
                     `max.message.bytes` decides)"
                );
            }
            // Each refusal makes the producer begin anew, which costs the others time.
            tokio::time::sleep(backoff::pause(refusals).max(BUS_PAUSE)).await;
            return refusals;
        }
    }
    tokio::time::sleep(BUS_PAUSE).await;
    // Whether it takes the event is not known, so what was known stays.
    refusals
}

/// Hands events over; returns the first that was not taken. Those behind it are given up.
async fn hand_over(
    bus: &dyn Bus,
    events: &[Event],
    report: &mpsc::UnboundedSender<Report>,
) -> Option<(Uuid, BusError)> {
    let mut acknowledgements = FuturesOrdered::new();
    let mut failed = None;
    for event in events {
        match bus.publish(event) {
            Ok(publishing) => acknowledgements.push_back(async { (event.id, publishing.await) }),
            Err(error) => {
                failed = Some((event.id, error));
                break;
            }
        }
    }
    while let Some((id, outcome)) = acknowledgements.next().await {
        match outcome {
            // The relay that listened is gone when this fails, and so is the need to tell it.
            Ok(()) => drop(report.send(Report::Taken(id))),
            Err(error) => return Some((id, error)),
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::{FutureExt, future::BoxFuture};

    use super::*;

    /// Takes every event but one, which it refuses each time.
    struct Fussy {
        refuses: Uuid,
        seen: Mutex<Vec<Uuid>>,
    }

    impl Bus for Fussy {
        fn publish<'a>(&'a self, event: &'a Event) -> Result<BoxFuture<'a, Result<(), BusError>>, BusError> {
            self.seen.lock().unwrap().push(event.id);
            let refused = event.id == self.refuses;
            let outcome = if refused { Err(BusError::Refused("too long".to_owned())) } else { Ok(()) };
            Ok(async { outcome }.boxed())
        }
    }

    fn event(number: u128) -> Event {
        Event {
            id: Uuid::from_u128(number),
            topic: "topic".to_owned(),
            key: "key".to_owned(),
            kind: "KIND".to_owned(),
            source: "/source".to_owned(),
            time: "2026-01-01T00:00:00Z".to_owned(),
            traceparent: None,
            value: "{}".to_owned(),
        }
    }

    async fn hand_over(lanes: &mut Lanes, numbers: [u128; 3]) -> Vec<Uuid> {
        lanes.open(numbers.map(event).into());
        let mut taken = Vec::new();
        while lanes.are_open() {
            lanes.told().await;
            taken.extend(lanes.taken());
            lanes.marked();
        }
        taken
    }

    #[tokio::test]
    async fn an_event_that_is_refused_again_and_again_is_overtaken_once_at_most() {
        let bus = Arc::new(Fussy { refuses: Uuid::from_u128(2), seen: Mutex::default() });
        let mut lanes = Lanes::new(bus.clone());
        assert_eq!(hand_over(&mut lanes, [1, 2, 3]).await, [Uuid::from_u128(1)]);
        bus.seen.lock().unwrap().clear();
        assert!(hand_over(&mut lanes, [2, 3, 4]).await.is_empty());
        assert_eq!(*bus.seen.lock().unwrap(), [Uuid::from_u128(2)], "nothing behind it was handed over");
    }
}
