//! The producer: idempotent, and patient without end, so that what it has taken up is neither lost, doubled nor overtaken however
//! long the brokers are away. What brokers refuse for good they do not wait for: whoever hands over what may be refused waits for the answer.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use futures::{FutureExt, future::BoxFuture};
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::OwnedHeaders,
    producer::{FutureProducer, FutureRecord, Producer as _, future_producer::DeliveryFuture},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{KafkaSettings, context::Context, message, topics::Topics};
use crate::{
    events::{Bus, BusError, Event},
    limits::UNANSWERED_KIB,
};

/// What an event takes beside its own bytes.
const OVERHEAD_BYTES: usize = 512;

/// The largest message that brokers are asked to take. What they take is theirs to say: as they come 1,048,588 bytes, and an operator may
/// allow more. Left at the library's own bound, which is below that, what others have published could not be kept among the dead letters.
const MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of messages that go in one piece, where it is not one message alone. A topic refuses a piece that is larger than it takes,
/// whatever each message has; few are set to take less than this.
const PIECE_BYTES: usize = 16 * 1024;

/// How long brokers get at a stop for what they have in hand. What they do not answer for is published again.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

type Client = FutureProducer<Context>;

/// What publishes.
pub(super) struct Producer {
    settings: KafkaSettings,
    client: ArcSwap<Client>,
    topics: Arc<Topics>,
    room: Arc<Semaphore>,
    stopping: CancellationToken,
}

/// What is sent where.
pub(super) struct Sending<'a> {
    pub topic: &'a str,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: OwnedHeaders,
}

impl Producer {
    pub(super) fn new(
        settings: &KafkaSettings,
        topics: Arc<Topics>,
        stopping: CancellationToken,
    ) -> Result<Self, KafkaError> {
        Ok(Self {
            settings: settings.clone(),
            client: ArcSwap::from_pointee(client(settings)?),
            topics,
            room: Arc::new(Semaphore::new(UNANSWERED_KIB)),
            stopping,
        })
    }

    /// Hands a message over; the future ends when every replica that must have it has it.
    pub(super) fn send(
        &self,
        sending: Sending<'_>,
    ) -> Result<impl Future<Output = Result<(), BusError>> + Send + use<'_>, BusError> {
        let topic = sending.topic.to_owned();
        if !self.topics.is_ready(&topic) {
            self.topics.ask_for(&topic);
            return Err(BusError::Unavailable(format!("the topic {topic} is not ready yet")));
        }
        let room = self.room(&sending)?;
        let delivery = self.enqueue(sending)?;
        Ok(async move {
            let outcome = tokio::select! {
                outcome = delivery => outcome,
                () = self.gone() => return Err(BusError::Stopping),
            };
            drop(room);
            match outcome {
                Ok(Ok(_)) => Ok(()),
                Ok(Err((error, _))) => Err(self.failed(&topic, &error)),
                Err(_) => Err(BusError::Unavailable("the producer was replaced".to_owned())),
            }
        })
    }

    /// What is being published at once has a bound, so that brokers that are away for long cost no more than that.
    fn room(&self, sending: &Sending<'_>) -> Result<OwnedSemaphorePermit, BusError> {
        let bytes = OVERHEAD_BYTES + sending.key.map_or(0, <[u8]>::len) + sending.value.map_or(0, <[u8]>::len);
        let kib = u32::try_from(bytes.div_ceil(1024).min(UNANSWERED_KIB)).unwrap_or(u32::MAX);
        Arc::clone(&self.room).try_acquire_many_owned(kib).map_err(|_| BusError::Full)
    }

    fn enqueue(&self, sending: Sending<'_>) -> Result<DeliveryFuture, BusError> {
        let Sending { topic, key, value, headers } = sending;
        let record =
            FutureRecord { topic, partition: None, payload: value, key, timestamp: None, headers: Some(headers) };
        self.client.load().send_result(record).map_err(|(error, _)| self.failed(topic, &error))
    }

    fn failed(&self, topic: &str, error: &KafkaError) -> BusError {
        use RDKafkaErrorCode as Code;
        match error.rdkafka_error_code() {
            Some(Code::QueueFull) => BusError::Full,
            Some(Code::MessageSizeTooLarge | Code::MessageBatchTooLarge) => BusError::TooLarge(error.to_string()),
            Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition) => {
                self.topics.lost(topic);
                BusError::Unavailable(error.to_string())
            }
            Some(Code::PurgeQueue | Code::PurgeInflight) => BusError::Unavailable(error.to_string()),
            _ if self.renewed() => BusError::Unavailable(error.to_string()),
            _ => BusError::Refused(error.to_string()),
        }
    }

    /// A producer that lost count of its messages takes no more of them. Another takes its place.
    fn renewed(&self) -> bool {
        let former = self.client.load_full();
        let Some((code, reason)) = former.client().fatal_error() else { return false };
        tracing::warn!(%code, reason, "the producer for Kafka cannot go on; another takes its place");
        self.replace(former);
        true
    }

    /// Puts another in the place of this one. What it has in hand is given back: whoever waits for it hears that it was not taken.
    fn replace(&self, former: Arc<Client>) {
        match client(&self.settings) {
            Ok(next) => {
                drop(self.client.compare_and_swap(&former, Arc::new(next)));
                // Its end takes a moment.
                drop(tokio::task::spawn_blocking(move || drop(former)));
            }
            Err(error) => tracing::error!(%error, "no other producer for Kafka can be made"),
        }
    }

    /// The host is stopping, and the brokers had their time.
    async fn gone(&self) {
        self.stopping.cancelled().await;
        tokio::time::sleep(LAST_PATIENCE).await;
    }
}

impl Bus for Producer {
    fn publish<'a>(&'a self, event: &'a Event) -> Result<BoxFuture<'a, Result<(), BusError>>, BusError> {
        if self.stopping.is_cancelled() {
            return Err(BusError::Stopping);
        }
        let sending = Sending {
            topic: &event.topic,
            key: Some(event.key.as_bytes()),
            value: Some(event.value.as_bytes()),
            headers: message::headers(event),
        };
        self.send(sending).map(FutureExt::boxed)
    }

    /// Left with it, the messages would come whenever the brokers are back, beside those that the next host publishes.
    fn give_up(&self) {
        let former = self.client.load_full();
        if former.in_flight_count() > 0 {
            self.replace(former);
        }
    }
}

fn client(settings: &KafkaSettings) -> Result<Client, KafkaError> {
    settings
        .client()
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // A message that was given up could be overtaken by the next of its key, so none ever is.
        .set("message.timeout.ms", "0")
        .set("message.max.bytes", MESSAGE_BYTES.to_string())
        .set("batch.size", PIECE_BYTES.to_string())
        // Bounded by `room`.
        .set("queue.buffering.max.messages", "0")
        .set("queue.buffering.max.kbytes", "1048576")
        .set("linger.ms", "2")
        // As producers in Java do, so that a key has one partition whoever publishes.
        .set("partitioner", "murmur2_random")
        .create_with_context(Context::default())
}
