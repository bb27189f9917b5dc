//! The bus in this process: an event is acknowledged when every subscriber of its topic has taken it, or it waits for those that have not.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::{
    Bus, BusError, Event, Subscription,
    dead_letters::InTable,
    group::{Group, Handling},
    tally::Tally,
    waiting::{Queue, Table},
};

/// The bus.
pub(super) struct InProcess {
    groups: Vec<Arc<Group>>,
    /// By the source of what is in them.
    queues: Mutex<HashMap<String, Vec<Arc<Queue>>>>,
    waiting: Table,
    dead_letters: InTable,
    stopping: CancellationToken,
}

impl InProcess {
    /// What waits and what was rejected is kept in `state`, the host's own database.
    pub(super) fn new(
        subscriptions: Vec<Subscription>,
        state: PgPool,
        tally: &Tally,
        stopping: CancellationToken,
    ) -> Self {
        let mut handling: HashMap<String, Handling> = HashMap::new();
        let group = |subscription: Subscription| {
            let component = subscription.subscriber.component().to_owned();
            let tally = tally.group(&component, &subscription.topic);
            let handling = handling.entry(component).or_insert_with(Handling::new);
            Arc::new(Group::new(subscription, handling, tally))
        };
        let groups = subscriptions.into_iter().map(group).collect();
        let (waiting, dead_letters) = (Table::new(state.clone()), InTable::new(state));
        Self { groups, queues: Mutex::default(), waiting, dead_letters, stopping }
    }

    /// Whoever subscribes no more may do so again, and then gets what waits first.
    async fn tell_of_strangers(&self, source: &str) {
        // Where the database does not answer, others say so.
        for (component, topic, events) in self.waiting.all_of(source).await.unwrap_or_default() {
            let is_known = |group: &Arc<Group>| group.component() == component && group.topic == topic;
            if !self.groups.iter().any(is_known) {
                tracing::warn!(
                    source,
                    component,
                    topic,
                    events,
                    "events wait for a component that does not subscribe any more"
                );
            }
        }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Queue>>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bus for InProcess {
    fn publish<'a>(&'a self, event: &'a Event) -> Result<BoxFuture<'a, Result<(), BusError>>, BusError> {
        let queues = self.queues();
        let Some(queues) = queues.get(&event.source) else {
            return Err(BusError::Unavailable(format!("nobody has taken over what {} publishes", event.source)));
        };
        // Each goes its own way: a subscriber that has taken the event does not get it again while others are waited for.
        let deliveries: Vec<_> = queues
            .iter()
            .filter(|queue| queue.topic() == event.topic)
            .map(|queue| {
                let (queue, place) = (Arc::clone(queue), queue.join(&event.key));
                async move { queue.deliver(place, event).await }
            })
            .collect();
        Ok(async move { join_all(deliveries).await.into_iter().collect() }.boxed())
    }

    fn take_over<'a>(&'a self, component: &str) -> BoxFuture<'a, ()> {
        let source = Event::source_of(component);
        // What they knew of what waits may be out of date, so they begin anew.
        let queues: Vec<_> = self
            .groups
            .iter()
            .map(|group| {
                let (group, waiting, dead_letters) =
                    (Arc::clone(group), self.waiting.clone(), self.dead_letters.clone());
                Arc::new(Queue::new(group, &source, waiting, dead_letters, self.stopping.clone()))
            })
            .collect();
        self.queues().insert(source.clone(), queues.clone());
        async move {
            let carrying = join_all(queues.into_iter().map(Queue::carry));
            tokio::join!(carrying, self.tell_of_strangers(&source));
        }
        .boxed()
    }
}
