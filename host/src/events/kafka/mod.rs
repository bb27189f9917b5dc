//! Kafka as the bus: the relays publish to it, and each component that subscribes is a group of consumers.
//!
//! An event is acknowledged when the brokers have it, and no longer when its subscribers have taken it: those keep a position on
//! the topic, which passes an event only when it had its effect or lies among the dead letters, and everything before it did.
//!
//! **Invariant:** a position that is committed has nothing before it that was not done.

mod assignment;
mod consumer;
mod context;
mod cut;
mod dead_letters;
mod dead_topics;
mod message;
mod notes;
mod partition;
mod producer;
mod reader;
mod settings;
mod topics;
mod watch;

use std::{collections::BTreeMap, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use rdkafka::error::KafkaError;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

pub use self::settings::{KafkaSettings, Login, Mechanism, Trust};
use self::{consumer::Consumer, dead_topics::OnTopics, notes::Notes, producer::Producer, topics::Topics, watch::watch};
use super::{
    Bus, DeadLetters, Subscription,
    group::{Group, Handling},
    tally::Tally,
};

/// Kafka, made ready to be spoken to.
pub(super) struct Kafka {
    /// Where events are published.
    pub bus: Arc<dyn Bus>,
    /// What its subscribers rejected.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// What runs until the host stops.
    pub running: Vec<BoxFuture<'static, ()>>,
}

impl Kafka {
    /// Makes the clients. Whether brokers answer shows later.
    pub(super) fn new(
        settings: &KafkaSettings,
        state: PgPool,
        subscriptions: Vec<Subscription>,
        tally: Arc<Tally>,
        stopping: &CancellationToken,
    ) -> Result<Self, KafkaError> {
        let topics = Topics::new(settings, stopping.clone())?;
        let producer = Arc::new(Producer::new(settings, Arc::clone(&topics), stopping.clone())?);
        let mut components: BTreeMap<String, (Handling, Vec<Group>)> = BTreeMap::new();
        for subscription in subscriptions {
            let component = subscription.subscriber.component().to_owned();
            let counted = tally.group(&component, &subscription.topic);
            let (handling, groups) = components.entry(component).or_insert_with(|| (Handling::new(), Vec::new()));
            groups.push(Group::new(subscription, handling, counted));
        }
        let mut running = vec![watch(Arc::clone(&topics), tally, stopping.clone()).boxed()];
        for (component, (_, groups)) in components {
            let consumer = Consumer::new(settings, &component, groups, Arc::clone(&producer), stopping.clone())?;
            running.push(consumer.run(Arc::clone(&topics)).boxed());
        }
        let dead_letters = Arc::new(OnTopics::new(settings.clone(), Notes::new(state)));
        Ok(Self { bus: producer, dead_letters, running })
    }
}
