//! Looks at stretches of topics without being a member of any group: nobody's position changes by it.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    message::OwnedMessage,
};

use super::{KafkaSettings, context::Context};
use crate::events::DeadLettersError;

/// How long one waits for a message before one looks at the clock.
const LOOK_ABOUT: Duration = Duration::from_millis(50);

/// How long the brokers may take to tell what there is.
const PATIENCE: Duration = Duration::from_secs(5);

/// A stretch of a partition: from `low` on, before `high`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub topic: String,
    pub partition: i32,
    pub low: i64,
    pub high: i64,
}

/// Somebody who looks. All of it blocks.
pub(super) struct Reader {
    consumer: BaseConsumer<Context>,
    /// Where each partition that is being read ends.
    ends: BTreeMap<(String, i32), i64>,
}

impl Reader {
    pub(super) fn new(settings: &KafkaSettings) -> Result<Self, KafkaError> {
        let consumer = settings
            .client()
            // The library wants a name, and joins no group as long as partitions are assigned by hand.
            .set("group.id", "plaza")
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            // What is fetched ahead has a bound.
            .set("queued.max.messages.kbytes", "4096")
            .create_with_context(Context::default())?;
        Ok(Self { consumer, ends: BTreeMap::new() })
    }

    /// All that stands on those topics now, a stretch for each partition, with nothing in it where there is nothing.
    pub(super) fn spans(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<Span>, KafkaError> {
        let metadata = self.consumer.fetch_metadata(None, PATIENCE)?;
        let topics = metadata.topics().iter().filter(|topic| is_wanted(topic.name()));
        let partitions = topics.flat_map(|topic| topic.partitions().iter().map(|one| (topic.name(), one.id())));
        partitions.map(|(topic, partition)| self.span(topic, partition)).collect()
    }

    /// All that stands on this partition now.
    pub(super) fn span(&self, topic: &str, partition: i32) -> Result<Span, KafkaError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.consumer.fetch_watermarks(topic, partition, PATIENCE) {
                Err(error) if has_no_leader(&error) && Instant::now() < deadline => thread::sleep(LOOK_ABOUT),
                found => {
                    let (low, high) = found?;
                    return Ok(Span { topic: topic.to_owned(), partition, low, high });
                }
            }
        }
    }

    /// Begins to read these, and nothing else any more.
    pub(super) fn begin<'a>(&mut self, spans: impl IntoIterator<Item = &'a Span>) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        self.ends.clear();
        for span in spans.into_iter().filter(|span| span.low < span.high) {
            list.add_partition_offset(&span.topic, span.partition, Offset::Offset(span.low))?;
            self.ends.insert((span.topic.clone(), span.partition), span.high);
        }
        self.consumer.assign(&list)
    }

    /// The next message; none when all was read.
    pub(super) fn next(&mut self, deadline: Instant) -> Result<Option<OwnedMessage>, DeadLettersError> {
        let mut last_error = None;
        while !self.ends.is_empty() {
            if Instant::now() >= deadline {
                return Err(last_error.map_or(DeadLettersError::Late, DeadLettersError::Kafka));
            }
            match self.consumer.poll(LOOK_ABOUT) {
                Some(Ok(message)) => {
                    let name = (message.topic().to_owned(), message.partition());
                    let Some(end) = self.ends.get(&name).copied() else { continue };
                    if message.offset() + 1 >= end {
                        self.ends.remove(&name);
                    }
                    if message.offset() < end {
                        return Ok(Some(message.detach()));
                    }
                }
                // It goes on by itself once what is wrong is over.
                Some(Err(error)) => last_error = Some(error),
                None => {}
            }
        }
        Ok(None)
    }
}

/// Whether it will be over by itself: the topic was made just now, or its leader moves.
fn has_no_leader(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(error.rdkafka_error_code(), Some(Code::NotLeaderForPartition | Code::LeaderNotAvailable))
}
