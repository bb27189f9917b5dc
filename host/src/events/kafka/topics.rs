//! Topics: each is made, or looked at, before it is used.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    error::{KafkaError, RDKafkaErrorCode},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    KafkaSettings,
    context::{Context, passes},
};
use crate::backoff;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The broker decides how many copies there are.
const AS_THE_BROKER_SAYS: TopicReplication<'static> = TopicReplication::Fixed(-1);

/// The topics in use.
pub(super) struct Topics {
    admin: AdminClient<Context>,
    partitions: i32,
    asked_for: Mutex<HashSet<String>>,
    ready: watch::Sender<BTreeSet<String>>,
    stopping: CancellationToken,
}

impl Topics {
    pub(super) fn new(settings: &KafkaSettings, stopping: CancellationToken) -> Result<Arc<Self>, KafkaError> {
        let admin = settings.client().create_with_context(Context::default())?;
        Ok(Arc::new(Self {
            admin,
            partitions: i32::from(settings.partitions),
            asked_for: Mutex::default(),
            ready: watch::Sender::new(BTreeSet::new()),
            stopping,
        }))
    }

    /// Whether a topic can be used.
    pub(super) fn is_ready(&self, topic: &str) -> bool {
        self.ready.borrow().contains(topic)
    }

    /// Sees to it that a topic can be used, some time.
    pub(super) fn ask_for(self: &Arc<Self>, topic: &str) {
        if self.asked_for.lock().unwrap_or_else(PoisonError::into_inner).insert(topic.to_owned()) {
            let (topics, topic) = (Arc::clone(self), topic.to_owned());
            tokio::spawn(async move {
                tokio::select! {
                    () = topics.stopping.cancelled() => {}
                    () = topics.make(&topic) => {}
                }
            });
        }
    }

    /// Waits until all of these can be used.
    pub(super) async fn wait_for(self: &Arc<Self>, topics: &[String]) {
        topics.iter().for_each(|topic| self.ask_for(topic));
        let all = |ready: &BTreeSet<String>| topics.iter().all(|topic| ready.contains(topic));
        // This holds the sender, so the channel stays open.
        drop(self.ready.subscribe().wait_for(all).await);
    }

    /// A topic that was there is not there any more.
    pub(super) fn lost(&self, topic: &str) {
        self.asked_for.lock().unwrap_or_else(PoisonError::into_inner).remove(topic);
        self.ready.send_modify(|ready| _ = ready.remove(topic));
    }

    /// Asks the brokers for a topic that is known; whether they answer is all that this is about. It blocks.
    pub(super) fn do_brokers_answer(&self, patience: Duration) -> bool {
        let known = self.ready.borrow().first().cloned();
        self.admin.inner().fetch_metadata(known.as_deref(), patience).is_ok()
    }

    async fn make(self: &Arc<Self>, topic: &str) {
        let mut failures = 0;
        while let Err(error) = self.try_to_make(topic).await {
            failures += 1;
            if failures == 3 && !passes(&error) {
                tracing::warn!(topic, %error, "a topic cannot be made ready; trying on");
            } else {
                tracing::debug!(topic, %error, "a topic could not be made ready yet");
            }
            tokio::time::sleep(backoff::pause(failures).min(LONGEST_PAUSE)).await;
        }
        self.ready.send_modify(|ready| _ = ready.insert(topic.to_owned()));
    }

    async fn try_to_make(self: &Arc<Self>, topic: &str) -> Result<(), KafkaError> {
        let options = AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
        let new = NewTopic::new(topic, self.partitions, AS_THE_BROKER_SAYS);
        let made = self.admin.create_topics([&new], &options).await?;
        match made.into_iter().next() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => self.look_at(topic).await,
            // Whoever may not make topics may still use one that is there.
            Some(Err((
                _,
                code @ RDKafkaErrorCode::TopicAuthorizationFailed | code @ RDKafkaErrorCode::ClusterAuthorizationFailed,
            ))) => self.look_at(topic).await.map_err(|_| KafkaError::AdminOp(code)),
            Some(Err((_, code))) => Err(KafkaError::AdminOp(code)),
            Some(Ok(_)) | None => {
                tracing::info!(topic, partitions = self.partitions, "made a topic");
                Ok(())
            }
        }
    }

    /// A topic that somebody else made is taken as it is: another number of partitions would tear keys apart.
    async fn look_at(self: &Arc<Self>, topic: &str) -> Result<(), KafkaError> {
        let (topics, name) = (Arc::clone(self), topic.to_owned());
        let looking = move || topics.admin.inner().fetch_metadata(Some(&name), PATIENCE);
        let metadata = tokio::task::spawn_blocking(looking).await.map_err(|_| KafkaError::Canceled)??;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let partitions = found.map_or(0, |found| found.partitions().len());
        if partitions == 0 {
            return Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition));
        }
        if i32::try_from(partitions) != Ok(self.partitions) {
            tracing::warn!(
                topic,
                partitions,
                wanted = self.partitions,
                "a topic has another number of partitions; it stays as it is"
            );
        }
        Ok(())
    }
}
