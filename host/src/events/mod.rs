//! Events: outbox → bus → subscribers.
//!
//! A component writes events to its outbox table in the statement that makes them true. One `relay` per outbox, on one
//! host at a time, hands each row to the [`Bus`] and marks it once the bus has acknowledged it. The bus in this process
//! (`in_process`) acknowledges when every subscriber has taken the event, or has rejected it into the dead letters.
//!
//! **Invariant:** a row is marked only after that, so a crash anywhere repeats an event and never loses one.
//! **Invariant:** events of one key reach a subscriber in the order of the outbox's `seq`.

mod backoff;
mod bus;
mod dead_letters;
mod error;
mod event;
mod in_process;
mod lanes;
mod outbox;
mod relay;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::future::try_join_all;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::{
    bus::{Bus, BusError},
    error::EventsError,
    event::Event,
    in_process::{Failure, Subscriber, Subscription},
    outbox::Outbox,
};
use self::{dead_letters::DeadLetters, in_process::InProcess, relay::Relay};
use crate::database::Database;

/// How long handlers under way may take at a stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The running relays. Dropping it ends them at once; [`Events::stop`] lets handlers finish.
pub struct Events {
    stopping: CancellationToken,
    relays: JoinSet<()>,
}

/// Starts a relay for each outbox, with the bus of this process behind it.
///
/// # Errors
/// [`EventsError::Table`] when an outbox is not a table of the expected shape, [`EventsError::Twice`] when a component
/// appears twice.
pub async fn start(
    database: &Database,
    outboxes: Vec<Outbox>,
    subscriptions: Vec<Subscription>,
) -> Result<Events, EventsError> {
    check_once(outboxes.iter().map(|outbox| ("outbox", outbox.component.clone())))?;
    check_once(subscriptions.iter().map(|subscription| {
        let component = subscription.subscriber.component();
        ("subscription", format!("{component} to {}", subscription.topic))
    }))?;
    let stopping = CancellationToken::new();
    let dead_letters = DeadLetters::new(database.state().clone());
    let bus: Arc<dyn Bus> = Arc::new(InProcess::new(subscriptions, dead_letters, stopping.clone()));
    start_on(database, outboxes, bus, stopping).await
}

/// Starts the relays on a bus.
async fn start_on(
    database: &Database,
    outboxes: Vec<Outbox>,
    bus: Arc<dyn Bus>,
    stopping: CancellationToken,
) -> Result<Events, EventsError> {
    let opening = outboxes.into_iter().map(|outbox| Relay::open(outbox, Arc::clone(&bus), stopping.clone()));
    let mut relays = JoinSet::new();
    for relay in try_join_all(opening).await? {
        relays.spawn(relay.run(database.leases()));
    }
    Ok(Events { stopping, relays })
}

impl Events {
    /// Takes up no further event, and waits up to ten seconds for those under way.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        let ended = async { while self.relays.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_TIMEOUT, ended).await.is_err() {
            tracing::warn!("handlers of events did not finish in time; their events will be delivered again");
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
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
