//! The consumer of one component: a member of the group that is named like it.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    Message,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{
    KafkaSettings,
    assignment::Assignment,
    dead_letters::{Received, topic_of},
    producer::Producer,
    topics::Topics,
};
use crate::events::group::Group;

/// How long one waits for a message before one looks about.
const LOOK_ABOUT: Duration = Duration::from_millis(50);

/// How long handlers get to finish when the host stops; it may give up waiting before.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// A consumer that has not begun yet.
pub(super) struct Consumer {
    client: BaseConsumer<Assignment>,
    groups: Vec<Arc<Group>>,
    producer: Arc<Producer>,
    stopping: CancellationToken,
}

impl Consumer {
    /// One for a component, given each topic that it subscribes to.
    pub(super) fn new(
        settings: &KafkaSettings,
        component: &str,
        groups: Vec<Group>,
        producer: Arc<Producer>,
        stopping: CancellationToken,
    ) -> Result<Self, KafkaError> {
        let groups: Vec<Arc<Group>> = groups.into_iter().map(Arc::new).collect();
        let by_topic: HashMap<String, Arc<Group>> =
            groups.iter().map(|group| (group.topic.clone(), Arc::clone(group))).collect();
        let client = settings
            .client()
            .set("group.id", component)
            // Who hears of a topic for the first time hears all of it.
            .set("auto.offset.reset", "earliest")
            .set("partition.assignment.strategy", "cooperative-sticky")
            // Only what `Assignment` says is done is committed.
            .set("enable.auto.offset.store", "false")
            .set("auto.commit.interval.ms", "500")
            // A host that died is missed after so long.
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "1500")
            .set("queued.max.messages.kbytes", "4096")
            .set("fetch.queue.backoff.ms", "50")
            .set("statistics.interval.ms", "1000")
            .create_with_context(Assignment::new(by_topic, stopping.clone()))?;
        Ok(Self { client, groups, producer, stopping })
    }

    /// Consumes until the host stops.
    pub(super) async fn run(self, topics: Arc<Topics>) {
        let subscribed = self.groups.iter().map(|group| group.topic.clone());
        let dead = self.groups.iter().map(|group| topic_of(&group.topic, group.component()));
        let used: Vec<String> = subscribed.chain(dead).collect();
        tokio::select! {
            () = self.stopping.cancelled() => return,
            () = topics.wait_for(&used) => {}
        }
        let runtime = Handle::current();
        // The library calls back from where it is asked for messages, and may have to be waited for there.
        if tokio::task::spawn_blocking(move || self.consume(&runtime)).await.is_err() {
            tracing::error!("a consumer of events has ended by a fault of the host");
        }
    }

    fn consume(self, runtime: &Handle) {
        let topics: Vec<&str> = self.groups.iter().map(|group| group.topic.as_str()).collect();
        while let Err(error) = self.client.subscribe(&topics) {
            tracing::error!(%error, topics = topics.join(" "), "topics cannot be subscribed to; trying on");
            if self.stopping.is_cancelled() {
                return;
            }
            std::thread::sleep(LOOK_ABOUT);
        }
        let assignment = self.client.context();
        let mut looked = Instant::now();
        while !self.stopping.is_cancelled() {
            match self.client.poll(LOOK_ABOUT) {
                Some(Ok(message)) => self.take_up(message.detach(), runtime),
                // It goes on by itself once what is wrong is over.
                Some(Err(error)) => tracing::debug!(%error, "no messages"),
                None => {}
            }
            if looked.elapsed() >= LOOK_ABOUT {
                assignment.tend(&self.client);
                looked = Instant::now();
            }
        }
        assignment.finish(&self.client, Instant::now() + STOP_PATIENCE);
        // Dropping the client commits what is done and leaves the group.
    }

    /// Delivers a message in its place behind those of its key.
    fn take_up(&self, message: rdkafka::message::OwnedMessage, runtime: &Handle) {
        let assignment = self.client.context();
        let name = (message.topic().to_owned(), message.partition());
        let Some(partition) = assignment.partition(&name) else { return };
        let Some(group) = assignment.group(message.topic()).cloned() else { return };
        let (offset, bytes) = (message.offset(), bytes_of(&message));
        let received = Received::new(message, Arc::clone(&self.producer));
        partition.takes_up(offset, bytes);
        // There may be many more messages before one looks about.
        assignment.pace(&self.client, &[(name, Arc::clone(&partition))]);
        let place = group.join(&received.key());
        runtime.spawn(async move {
            let delivered = group.deliver(place, &received, &partition.stop).await;
            partition.finishes(offset, bytes, delivered.is_ok());
        });
    }
}

/// What a message takes.
fn bytes_of(message: &impl Message) -> usize {
    message.payload().map_or(0, <[u8]>::len) + message.key().map_or(0, <[u8]>::len)
}
