//! Events: outbox → bus → subscribers.
//!
//! A component writes events to its outbox table in the statement that makes them true. One `relay` per outbox, on one
//! host at a time, hands each row to the [`Bus`] and marks it once the bus has acknowledged it. There are two of them. The bus in this
//! process (`in_process`) acknowledges when every subscriber has taken the event, has rejected it into the dead letters, or has it
//! waiting for itself alone (`waiting`); Kafka (`kafka`) does when its brokers have it, and brings it to the subscribers from there. How an
//! event is delivered to a subscriber (`group`) is the same for both. What a subscriber rejected is kept ([`DeadLetters`]: in a table, or on topics) until an operator
//! gives it to that subscriber once more ([`Replay`]).
//!
//! **Invariant:** a row is marked only after that, so a crash anywhere repeats an event and never loses one.
//! **Invariant:** events of one key reach a subscriber in the order of the outbox's `seq`.

mod backlog;
mod bus;
mod carry;
mod dead_letters;
mod error;
mod event;
mod group;
mod in_process;
mod kafka;
mod lanes;
mod left_over;
mod lines;
mod looks;
mod outbox;
mod relay;
mod subscriber;
mod tally;
mod waiting;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::future::try_join_all;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::{
    backlog::Backlog,
    bus::{Bus, BusError},
    dead_letters::{Body, DeadLetter, DeadLetters, DeadLettersError, Listed, Outcome, Replay, Replayed, Wanted},
    error::EventsError,
    event::Event,
    kafka::{KafkaSettings, Login, Mechanism, Trust},
    outbox::Outbox,
    subscriber::{Failure, Subscriber, Subscription},
    tally::{GroupCount, Tally},
};
use self::{
    dead_letters::{InTable, Subscribers},
    in_process::InProcess,
    kafka::Kafka,
    left_over::WithLeftOver,
    relay::Relay,
};
use crate::database::Database;

/// The running relays and consumers. Dropping it ends them at once; [`Events::stop`] lets handlers finish.
pub struct Events {
    stopping: CancellationToken,
    running: JoinSet<()>,
    replay: Arc<Replay>,
}

/// Starts a relay for each outbox, and behind it Kafka where there are settings for it, else the bus of this process.
///
/// # Errors
/// [`EventsError::Table`] when an outbox is not a table of the expected shape, [`EventsError::Twice`] when a component
/// appears twice, [`EventsError::Kafka`] when the settings are none. Brokers that do not answer are waited for.
pub async fn start(
    database: &Database,
    outboxes: Vec<Outbox>,
    subscriptions: Vec<Subscription>,
    kafka: Option<&KafkaSettings>,
    tally: Arc<Tally>,
) -> Result<Events, EventsError> {
    check_once(outboxes.iter().map(|outbox| ("outbox", outbox.component.clone())))?;
    check_once(subscriptions.iter().map(|subscription| {
        let component = subscription.subscriber.component();
        ("subscription", format!("{component} to {}", subscription.topic))
    }))?;
    let stopping = CancellationToken::new();
    let subscribers = by_component_and_topic(&subscriptions);
    let state = || database.state().clone();
    // What was rejected before the events went through Kafka still lies in the table.
    let mut stores: Vec<Arc<dyn DeadLetters>> = vec![Arc::new(InTable::new(state()))];
    let backlogs = Arc::clone(&tally.backlogs);
    let in_process = InProcess::new(subscriptions.clone(), state(), &tally, stopping.clone());
    let (bus, others): (Arc<dyn Bus>, Vec<_>) = match kafka {
        Some(settings) => {
            let Kafka { bus, dead_letters, running } = Kafka::new(settings, state(), subscriptions, tally, &stopping)?;
            stores.push(dead_letters);
            (Arc::new(WithLeftOver::new(bus, in_process)), running)
        }
        None => (Arc::new(in_process), Vec::new()),
    };
    let opening = outboxes
        .into_iter()
        .map(|outbox| Relay::open(outbox, Arc::clone(&bus), Arc::clone(&backlogs), stopping.clone()));
    let relays = try_join_all(opening).await?;
    let mut running = JoinSet::new();
    for relay in relays {
        running.spawn(relay.run(database.leases()));
    }
    for other in others {
        running.spawn(other);
    }
    Ok(Events { stopping, running, replay: Arc::new(Replay::new(stores, subscribers)) })
}

impl Events {
    /// What was rejected, and how it is given to its component once more.
    pub fn replay(&self) -> Arc<Replay> {
        Arc::clone(&self.replay)
    }

    /// Takes up no further event, and waits for those under way, up to `patience`.
    pub async fn stop(mut self, patience: Duration) {
        self.stopping.cancel();
        let ended = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, ended).await.is_err() {
            tracing::warn!("handlers of events did not finish in time; their events will be delivered again");
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

fn by_component_and_topic(subscriptions: &[Subscription]) -> Subscribers {
    let named = subscriptions.iter().map(|subscription| {
        let component = subscription.subscriber.component().to_owned();
        ((component, subscription.topic.clone()), Arc::clone(&subscription.subscriber))
    });
    named.collect()
}

/// Nothing stands twice in the list.
fn check_once(entries: impl Iterator<Item = (&'static str, String)>) -> Result<(), EventsError> {
    let mut seen = BTreeSet::new();
    for (what, name) in entries {
        if !seen.insert(name.clone()) {
            return Err(EventsError::Twice { what, name });
        }
    }
    Ok(())
}
