//! The bus in this process: an event is acknowledged when every subscriber of its topic has taken it.

mod lines;

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::lines::{Lines, Place};
use super::{Bus, BusError, Event, backoff, dead_letters::DeadLetters};

/// Events that one subscriber handles at once. Parked ones do not count.
const HANDLED_AT_ONCE: usize = 32;

/// A component that handles events.
#[async_trait]
pub trait Subscriber: Send + Sync {
    /// The component's name, which is also the name of its group.
    fn component(&self) -> &str;

    /// Handles one event; `attempt` counts from 1. It may come again after a crash: the handler's inbox tells.
    ///
    /// # Errors
    /// [`Failure::Retry`] brings the event back, [`Failure::Reject`] puts it into the dead letters.
    async fn handle(&self, event: &Event, attempt: u32) -> Result<(), Failure>;
}

/// Why a subscriber did not take an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Not now: it parks the key and comes again, however often.
    #[error("retry: {0}")]
    Retry(String),
    /// Never: it goes to the dead letters.
    #[error("reject: {0}")]
    Reject(String),
}

/// Who hears of which topic.
#[derive(Clone)]
pub struct Subscription {
    /// The topic.
    pub topic: String,
    /// Who handles its events.
    pub subscriber: Arc<dyn Subscriber>,
}

/// The bus.
pub(super) struct InProcess {
    groups: HashMap<String, Vec<Group>>,
    dead_letters: DeadLetters,
    stopping: CancellationToken,
}

/// One subscriber of one topic, with a line per key that it takes in order.
struct Group {
    subscriber: Arc<dyn Subscriber>,
    lines: Lines,
    handling: Arc<Semaphore>,
}

impl InProcess {
    pub(super) fn new(
        subscriptions: Vec<Subscription>,
        dead_letters: DeadLetters,
        stopping: CancellationToken,
    ) -> Self {
        let mut handling: HashMap<String, Arc<Semaphore>> = HashMap::new();
        let mut groups: HashMap<String, Vec<Group>> = HashMap::new();
        for Subscription { topic, subscriber } in subscriptions {
            let component = subscriber.component().to_owned();
            let handling = handling.entry(component).or_insert_with(|| Arc::new(Semaphore::new(HANDLED_AT_ONCE)));
            let group = Group { subscriber, lines: Lines::default(), handling: Arc::clone(handling) };
            groups.entry(topic).or_default().push(group);
        }
        Self { groups, dead_letters, stopping }
    }

    /// Delivers until the group has taken the event, after those before it in its line.
    async fn deliver(&self, group: &Group, mut place: Place, event: &Event) -> Result<(), BusError> {
        place.at_head().await;
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(group, event, attempt).await? {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            let reason = match failure {
                Failure::Retry(reason) => reason,
                Failure::Reject(reason) => match self.bury(group, event, &reason).await {
                    Ok(()) => return Ok(()),
                    Err(error) => format!("the dead letters cannot be written: {error}"),
                },
            };
            self.park(group, event, attempt, &reason).await?;
            attempt = attempt.saturating_add(1);
        }
    }

    /// Calls the handler once, when it is free and the host is not stopping.
    async fn attempt(&self, group: &Group, event: &Event, attempt: u32) -> Result<Result<(), Failure>, BusError> {
        let permit = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return Err(BusError::Stopping),
            permit = group.handling.acquire() => permit.map_err(|_| BusError::Stopping)?,
        };
        let handled = AssertUnwindSafe(group.subscriber.handle(event, attempt)).catch_unwind().await;
        drop(permit);
        // A handler that panics is a fault of the host, not of the event.
        Ok(handled.unwrap_or_else(|_| Err(Failure::Retry("the handler panicked".to_owned()))))
    }

    /// Keeps a rejected event.
    async fn bury(&self, group: &Group, event: &Event, reason: &str) -> Result<(), sqlx::Error> {
        let component = group.subscriber.component();
        self.dead_letters.keep(event, component, reason).await?;
        tracing::warn!(
            event.id = %event.id, event.kind, event.topic, component, reason,
            "an event was rejected and is kept in the dead letters"
        );
        Ok(())
    }

    /// Waits before the next attempt. The first failure is told, then every tenth: a subscriber that is away may be so for long.
    async fn park(&self, group: &Group, event: &Event, attempt: u32, reason: &str) -> Result<(), BusError> {
        if attempt % 10 == 1 {
            let component = group.subscriber.component();
            tracing::warn!(
                event.id = %event.id, event.kind, event.topic, event.attempt = attempt, component, reason,
                "an event was not taken and will be delivered again"
            );
        }
        tokio::select! {
            () = self.stopping.cancelled() => Err(BusError::Stopping),
            () = tokio::time::sleep(backoff::pause(attempt)) => Ok(()),
        }
    }
}

impl Bus for InProcess {
    fn publish<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<(), BusError>> {
        // Each group goes its own way: one that has taken the event waits here for the others without getting it again.
        let groups = self.groups.get(&event.topic).into_iter().flatten();
        let deliveries: Vec<_> = groups.map(|group| self.deliver(group, group.lines.join(&event.key), event)).collect();
        async move { join_all(deliveries).await.into_iter().collect() }.boxed()
    }
}
