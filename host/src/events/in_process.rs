//! The bus in this process: an event is acknowledged when every subscriber of its topic has taken it.

use std::collections::HashMap;

use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use tokio_util::sync::CancellationToken;

use super::{
    Bus, BusError, Event, Subscription,
    dead_letters::InTable,
    group::{Group, Handling, Letter},
    tally::Tally,
};

/// The bus.
pub(super) struct InProcess {
    groups: HashMap<String, Vec<Group>>,
    dead_letters: InTable,
    stopping: CancellationToken,
}

/// An event, and the table it goes to when it is rejected.
struct Delivered<'a> {
    event: &'a Event,
    dead_letters: &'a InTable,
}

impl InProcess {
    pub(super) fn new(
        subscriptions: Vec<Subscription>,
        dead_letters: InTable,
        tally: &Tally,
        stopping: CancellationToken,
    ) -> Self {
        let mut handling: HashMap<String, Handling> = HashMap::new();
        let mut groups: HashMap<String, Vec<Group>> = HashMap::new();
        for subscription in subscriptions {
            let (component, topic) = (subscription.subscriber.component().to_owned(), subscription.topic.clone());
            let tally = tally.group(&component, &topic);
            let handling = handling.entry(component).or_insert_with(Handling::new);
            groups.entry(topic).or_default().push(Group::new(subscription, handling, tally));
        }
        Self { groups, dead_letters, stopping }
    }
}

impl Bus for InProcess {
    fn publish<'a>(&'a self, event: &'a Event) -> Result<BoxFuture<'a, Result<(), BusError>>, BusError> {
        // Each group goes its own way: one that has taken the event waits here for the others without getting it again.
        let groups = self.groups.get(&event.topic).into_iter().flatten();
        let deliveries: Vec<_> = groups
            .map(|group| {
                let place = group.join(&event.key);
                async move {
                    let letter = Delivered { event, dead_letters: &self.dead_letters };
                    group.deliver(place, &letter, &self.stopping).await.map_err(|_| BusError::Stopping)
                }
            })
            .collect();
        Ok(async move { join_all(deliveries).await.into_iter().collect() }.boxed())
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
