//! What a subscriber rejected, or what cannot be read, goes to a topic of its own: the message as it was, and why it is there.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{FutureExt, future::BoxFuture};
use rdkafka::{
    Message,
    message::{Header, Headers, OwnedHeaders, OwnedMessage},
};

use super::{
    cut::{self, Cut},
    message,
    producer::{Producer, Sending},
};
use crate::events::{Body, BusError, DeadLetter, Event, group::Letter};

/// What is kept of a reason: a message has a bound, too.
const REASON_LETTERS: usize = 1_000;

/// What the name of such a topic ends with.
pub(super) const ENDING: &str = ".dlq";

/// The topic for what a component rejects of another topic.
pub(super) fn topic_of(topic: &str, component: &str) -> String {
    format!("{topic}.{component}{ENDING}")
}

/// The dead letter in a message of such a topic, whole; none where somebody else has put something there.
pub(super) fn letter_in(message: &OwnedMessage, name: String) -> Option<DeadLetter> {
    let headers = message.headers()?;
    let told = |name: &str| {
        let found = headers.iter().find(|header| header.key == name)?;
        str::from_utf8(found.value?).ok().map(str::to_owned)
    };
    let (component, topic) = (told("dlq_component")?, told("dlq_topic")?);
    let event = match told(cut::HEADER) {
        Some(cut) => Err(format!("the brokers take no letter as large as it was: {cut}")),
        None => message::read(message).map(|event| Event { topic: topic.clone(), ..event }),
    };
    let text = |bytes: &[u8]| match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    };
    let headers = headers.iter().map(|header| (header.key.to_owned(), header.value.map(text).unwrap_or_default()));
    Some(DeadLetter {
        name,
        component,
        topic,
        key: message.key().map(text).unwrap_or_default(),
        event,
        reason: told("dlq_reason").unwrap_or_default(),
        at: message.timestamp().to_millis().and_then(DateTime::from_timestamp_millis).unwrap_or_default(),
        replays: 0,
        headers: headers.collect(),
        body: Body::of(message.payload()),
    })
}

/// A message that came, and what it says.
pub(super) struct Received {
    message: OwnedMessage,
    event: Result<Event, String>,
    producer: Arc<Producer>,
}

impl Received {
    pub(super) fn new(message: OwnedMessage, producer: Arc<Producer>) -> Self {
        let event = message::read(&message);
        Self { message, event, producer }
    }

    /// What keeps its order.
    pub(super) fn key(&self) -> String {
        match &self.event {
            Ok(event) => event.key.clone(),
            Err(_) => String::from_utf8_lossy(self.message.key().unwrap_or_default()).into_owned(),
        }
    }

    /// What is too large as it came is cut: it must not hold up the partition for ever.
    async fn bury(&self, component: &str, reason: &str) -> Result<(), BusError> {
        let topic = topic_of(self.message.topic(), component);
        let whole = Sending {
            topic: &topic,
            key: self.message.key(),
            value: self.message.payload(),
            headers: self.headers(component, reason, None),
        };
        match self.send(whole).await {
            Err(BusError::TooLarge(_)) => {}
            outcome => return outcome,
        }
        let cut = Cut::of(&self.message);
        let headers = self.headers(component, reason, Some(&cut));
        self.send(Sending { topic: &topic, key: cut.key, value: cut.value, headers }).await
    }

    async fn send(&self, sending: Sending<'_>) -> Result<(), BusError> {
        self.producer.send(sending)?.await
    }

    /// Its own headers, and where it comes from and why it is here. What stood there from an earlier time goes.
    fn headers(&self, component: &str, reason: &str, cut: Option<&Cut<'_>>) -> OwnedHeaders {
        let (partition, offset) = (self.message.partition().to_string(), self.message.offset().to_string());
        let reason: String = reason.chars().take(REASON_LETTERS).collect();
        let told = [
            ("dlq_reason", reason.as_str()),
            ("dlq_component", component),
            ("dlq_topic", self.message.topic()),
            ("dlq_partition", &partition),
            ("dlq_offset", &offset),
            ("dlq_time", &Event::time_of(Utc::now())),
        ];
        let own = self.message.headers().into_iter().flat_map(Headers::iter);
        let own = own.filter(|header| header.key != cut::HEADER && !told.iter().any(|(name, _)| *name == header.key));
        let own = own.filter(|header| cut.is_none_or(|cut| cut.keeps(header)));
        let own = own.take(cut.map_or(usize::MAX, |_| cut::HEADERS));
        let headers = own.fold(OwnedHeaders::new(), OwnedHeaders::insert);
        let cut = cut.map(|cut| (cut::HEADER, cut.told.as_str()));
        let told = told.into_iter().chain(cut);
        told.fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
    }
}

impl Letter for Received {
    fn topic(&self) -> &str {
        self.message.topic()
    }

    fn event(&self) -> Result<&Event, &str> {
        self.event.as_ref().map_err(String::as_str)
    }

    fn bury<'a>(&'a self, component: &'a str, reason: &'a str) -> BoxFuture<'a, Result<(), String>> {
        async move { self.bury(component, reason).await.map_err(|error| error.to_string()) }.boxed()
    }
}
