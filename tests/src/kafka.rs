//! Somebody who uses Kafka beside the shop, and knows nothing of Plaza.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::{Header, Headers, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};

/// How long one waits for the next message before one looks whether that was all.
const PAUSE: Duration = Duration::from_millis(100);

/// A message as it stands on a topic.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where it stands.
    pub partition: i32,
    /// The same.
    pub offset: i64,
    /// When it was written, in milliseconds since 1970.
    pub at_ms: i64,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Its headers, by name.
    pub headers: BTreeMap<String, String>,
}

/// Everything that stands on a topic now, in the order of its partitions.
pub async fn all_of(brokers: &str, topic: &str) -> Vec<Record> {
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    tokio::task::spawn_blocking(move || read_all(&brokers, &topic)).await.expect("it is read")
}

/// Publishes a message, and returns when the broker has it: its partition and its offset. How large it may be is the broker's to say.
pub async fn publish(brokers: &str, topic: &str, key: &str, value: &[u8], headers: &[(&str, &str)]) -> (i32, i64) {
    let mut config = ClientConfig::new();
    let config = config.set("bootstrap.servers", brokers).set("message.max.bytes", "10000000");
    let producer: FutureProducer = config.create().expect("settings of a client");
    let headers = headers
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(*value) }));
    let record = FutureRecord::to(topic).key(key).payload(value).headers(headers);
    let place = producer.send(record, PAUSE).await.expect("the broker takes it");
    (place.partition, place.offset)
}

/// The topics that there are.
///
/// # Errors
/// The brokers did not answer.
pub async fn topics(brokers: &str) -> Result<Vec<String>, KafkaError> {
    let reader = reader(brokers);
    let asked = move || reader.fetch_metadata(None, Duration::from_secs(10));
    let metadata = tokio::task::spawn_blocking(asked).await.expect("an answer")?;
    Ok(metadata.topics().iter().map(|topic| topic.name().to_owned()).collect())
}

/// Publishes many messages with these headers, each with its number as its value, and returns when the broker has them.
pub async fn publish_many(brokers: &str, topic: &str, numbers: std::ops::Range<u32>, headers: &[(&str, &str)]) {
    let mut config = ClientConfig::new();
    let config = config.set("bootstrap.servers", brokers).set("queue.buffering.max.messages", "0");
    let producer: FutureProducer = config.create().expect("settings of a client");
    let headers = headers
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(*value) }));
    let sending = numbers.map(|number| {
        let (key, value) = (format!("key-{number}"), number.to_string());
        let record = FutureRecord::to(topic).key(&key).payload(&value).headers(headers.clone());
        producer.send_result(record).expect("there is room")
    });
    for sent in sending.collect::<Vec<_>>() {
        sent.await.expect("the broker answers").expect("it takes it");
    }
}

/// Partitions of a topic; none where there is no such topic.
pub fn partitions(brokers: &str, topic: &str) -> usize {
    let metadata = reader(brokers).fetch_metadata(Some(topic), Duration::from_secs(10)).expect("the broker answers");
    metadata.topics().first().map_or(0, |topic| topic.partitions().len())
}

/// The position of a group on a partition: the offset of what it is to get next. None where it never said.
pub async fn position(brokers: &str, group: &str, topic: &str, partition: i32) -> Option<i64> {
    let asking: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", brokers).set("group.id", group).create().expect("settings");
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    let asked = move || asking.committed_offsets(list, Duration::from_secs(10)).expect("the broker answers");
    let answer = tokio::task::spawn_blocking(asked).await.expect("an answer");
    match answer.elements().first().map(|element| element.offset()) {
        Some(Offset::Offset(offset)) => Some(offset),
        _ => None,
    }
}

/// Makes a topic.
pub fn make_topic(brokers: &str, topic: &str, partitions: i32) {
    let topic = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let made = futures::executor::block_on(admin(brokers).create_topics([&topic], &AdminOptions::new()));
    made.expect("the broker answers").pop().expect("an answer").expect("the topic is made");
}

/// Lets a topic take messages up to a size.
pub async fn limit_messages(brokers: &str, topic: &str, bytes: usize) {
    let bytes = bytes.to_string();
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set("max.message.bytes", &bytes);
    let changed = admin(brokers).alter_configs(&[change], &AdminOptions::new()).await;
    changed.expect("the broker answers").pop().expect("an answer").expect("it is changed");
}

/// Empties a topic, as its time of keeping does.
pub async fn empty(brokers: &str, topic: &str) {
    let mut all = TopicPartitionList::new();
    for partition in 0..i32::try_from(partitions(brokers, topic)).expect("few") {
        all.add_partition_offset(topic, partition, Offset::End).expect("a position");
    }
    admin(brokers).delete_records(&all, &AdminOptions::new()).await.expect("the broker answers");
}

/// Throws topics away, with the dead letters on them, and forgets the groups' positions.
pub fn clear(brokers: &str, groups: &[&str], topics: &[&str]) {
    let dead = topics.iter().flat_map(|topic| groups.iter().map(move |group| format!("{topic}.{group}.dlq")));
    let all: Vec<String> = topics.iter().map(|topic| (*topic).to_owned()).chain(dead).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (admin, options) = (admin(brokers), AdminOptions::new());
    futures::executor::block_on(async {
        // Those that are not there are no harm.
        admin.delete_topics(&all, &options).await.expect("the broker answers");
        admin.delete_groups(groups, &options).await.expect("the broker answers");
    });
}

fn admin(brokers: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", brokers).create().expect("settings of a client")
}

fn read_all(brokers: &str, topic: &str) -> Vec<Record> {
    let consumer = reader(brokers);
    let mut list = TopicPartitionList::new();
    let mut ends = BTreeMap::new();
    for partition in 0..i32::try_from(partitions(brokers, topic)).expect("few") {
        let watermarks = consumer.fetch_watermarks(topic, partition, Duration::from_secs(10));
        let (first, end) = watermarks.expect("the broker answers");
        if end > first {
            ends.insert(partition, end);
            list.add_partition_offset(topic, partition, Offset::Beginning).expect("a position");
        }
    }
    consumer.assign(&list).expect("partitions");
    let mut records = Vec::new();
    while !ends.is_empty() {
        let Some(message) = consumer.poll(PAUSE) else { continue };
        let message = message.expect("a message");
        if ends.get(&message.partition()).is_some_and(|end| message.offset() + 1 >= *end) {
            ends.remove(&message.partition());
        }
        records.push(record(&message));
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

fn reader(brokers: &str) -> BaseConsumer {
    let group = format!("outside-{}", std::process::id());
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .create()
        .expect("settings of a client")
}

fn record(message: &impl Message) -> Record {
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    Record {
        partition: message.partition(),
        offset: message.offset(),
        at_ms: message.timestamp().to_millis().unwrap_or_default(),
        key: text(message.key()),
        value: text(message.payload()),
        headers: headers.map(|header| (header.key.to_owned(), text(header.value))).collect(),
    }
}
