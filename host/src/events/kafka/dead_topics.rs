//! Dead letters on topics. A topic keeps what was put there until its time is up, so which of them were taken since is noted in the
//! host's own database.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures::{StreamExt, stream, stream::BoxStream};
use rdkafka::{
    Message,
    error::{KafkaError, RDKafkaErrorCode},
    message::OwnedMessage,
};
use tokio::{runtime::Handle, sync::mpsc, task::spawn_blocking};

use super::{
    KafkaSettings,
    dead_letters::{ENDING, letter_in},
    notes::{Notes, Place},
    reader::{Reader, Span},
};
use crate::events::{DeadLetter, DeadLetters, DeadLettersError, Listed, Wanted};

/// How long one looks for the newest. Where that was too short, there may be more than are told.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// How long a topic may be silent that has something to say.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);

/// Messages that are looked at together, of all partitions.
const ROUND: usize = 5_000;

/// Whole letters that are in hand together: each may have a megabyte.
const CHUNK: usize = 16;

/// The topics.
#[derive(Clone)]
pub(super) struct OnTopics {
    settings: KafkaSettings,
    notes: Notes,
}

impl OnTopics {
    pub(super) fn new(settings: KafkaSettings, notes: Notes) -> Self {
        Self { settings, notes }
    }

    /// Does something that waits for brokers, where it holds up nobody.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Handle) -> Result<T, DeadLettersError> + Send + 'static,
    ) -> Result<T, DeadLettersError> {
        let (topics, runtime) = (self.clone(), Handle::current());
        spawn_blocking(move || work(&topics, &runtime)).await.map_err(|_| DeadLettersError::Interrupted)?
    }

    /// Goes back from the ends of all partitions, until nothing before can be newer than what was found.
    fn look_for_newest(&self, wanted: &Wanted, limit: usize, runtime: &Handle) -> Result<Listed, DeadLettersError> {
        let deadline = Instant::now() + LONGEST_LOOK;
        let mut reader = Reader::new(&self.settings)?;
        let mut before = reader.spans(|topic| may_hold(topic, wanted))?;
        runtime.block_on(self.notes.forget_before(&before))?;
        before.retain(|span| span.low < span.high);
        let mut listed = Listed::default();
        while !before.is_empty() {
            let window = i64::try_from((ROUND / before.len()).clamp(1, limit.max(1))).unwrap_or(i64::MAX);
            let windows: Vec<Span> = before.iter().map(|span| last_of(span, window)).collect();
            let found = match read_all(&mut reader, &windows, deadline) {
                // What was found so far is the newest anyway.
                Err(DeadLettersError::Late) if !listed.letters.is_empty() => {
                    listed.more = true;
                    break;
                }
                found => found?,
            };
            let letters = found.iter().filter_map(|message| summary_in(message, wanted)).collect();
            listed.letters.extend(runtime.block_on(self.notes.applied_to(letters))?);
            listed.letters.sort_by_key(|letter| std::cmp::Reverse(letter.at));
            listed.more |= listed.letters.len() > limit;
            listed.letters.truncate(limit);
            let oldest = listed.letters.get(limit.saturating_sub(1)).map(|letter| letter.at.timestamp_millis());
            for (span, window) in before.iter_mut().zip(&windows) {
                span.high = window.low;
                let is_older = |message: &OwnedMessage| {
                    let here = message.topic() == window.topic && message.partition() == window.partition;
                    here && oldest.is_some_and(|oldest| message.timestamp().to_millis() <= Some(oldest))
                };
                if span.low < span.high && found.iter().any(is_older) {
                    listed.more = true;
                    span.high = span.low;
                }
            }
            before.retain(|span| span.low < span.high);
        }
        Ok(listed)
    }

    fn look_for(&self, place: &Place, runtime: &Handle) -> Result<Option<DeadLetter>, DeadLettersError> {
        let mut reader = Reader::new(&self.settings)?;
        let span = match reader.span(&place.topic, place.partition) {
            Err(error) if is_unknown(&error) => return Ok(None),
            span => span?,
        };
        if !(span.low..span.high).contains(&place.position) {
            return Ok(None);
        }
        reader.begin([&Span { low: place.position, high: place.position + 1, ..span }])?;
        let message = reader.next(Instant::now() + LONGEST_LOOK)?;
        let letter = message.and_then(|message| letter_in(&message, Place::of(&message).name()));
        let letters = runtime.block_on(self.notes.applied_to(letter.into_iter().collect()))?;
        Ok(letters.into_iter().next())
    }

    /// Hands over all that are there now, a partition after the other, in its order: events of a key are in one.
    fn hand_over(&self, wanted: &Wanted, to: &Handed, runtime: &Handle) -> Result<(), DeadLettersError> {
        let mut reader = Reader::new(&self.settings)?;
        for span in reader.spans(|topic| may_hold(topic, wanted))? {
            reader.begin([&span])?;
            loop {
                let mut letters = Vec::with_capacity(CHUNK);
                let mut ended = false;
                while letters.len() < CHUNK && !ended {
                    let message = reader.next(Instant::now() + LONGEST_SILENCE)?;
                    ended = message.is_none();
                    let letter = message.and_then(|message| letter_in(&message, Place::of(&message).name()));
                    letters.extend(letter.filter(|letter| wanted.has(&letter.component, &letter.topic)));
                }
                for letter in runtime.block_on(self.notes.applied_to(letters))? {
                    if to.blocking_send(Ok(letter)).is_err() {
                        return Ok(());
                    }
                }
                if ended {
                    break;
                }
            }
        }
        Ok(())
    }
}

type Handed = mpsc::Sender<Result<DeadLetter, DeadLettersError>>;

#[async_trait]
impl DeadLetters for OnTopics {
    async fn newest(&self, wanted: &Wanted, limit: usize) -> Result<Listed, DeadLettersError> {
        let wanted = wanted.clone();
        self.aside(move |topics, runtime| topics.look_for_newest(&wanted, limit, runtime)).await
    }

    async fn find(&self, name: &str) -> Result<Option<DeadLetter>, DeadLettersError> {
        let Some(place) = Place::parse(name).filter(|place| place.topic.ends_with(ENDING)) else { return Ok(None) };
        self.aside(move |topics, runtime| topics.look_for(&place, runtime)).await
    }

    fn all(&self, wanted: Wanted) -> BoxStream<'static, Result<DeadLetter, DeadLettersError>> {
        let (to, from) = mpsc::channel(1);
        let topics = Arc::new(self.clone());
        let runtime = Handle::current();
        // It ends when the stream is dropped, at the next letter.
        spawn_blocking(move || {
            if let Err(error) = topics.hand_over(&wanted, &to, &runtime) {
                drop(to.blocking_send(Err(error)));
            }
        });
        stream::unfold(from, |mut from| async move { Some((from.recv().await?, from)) }).boxed()
    }

    async fn taken(&self, letter: &DeadLetter) -> Result<(), DeadLettersError> {
        self.notes.taken(letter).await
    }

    async fn stays(&self, letter: &DeadLetter, reason: Option<&str>) -> Result<(), DeadLettersError> {
        self.notes.stays(letter, reason).await
    }
}

/// Whether a topic of this name may hold such letters: `<topic>.<component>.dlq`.
fn may_hold(name: &str, wanted: &Wanted) -> bool {
    let Some(rest) = name.strip_suffix(ENDING) else { return false };
    let of_component = |component: &String| rest.ends_with(&format!(".{component}"));
    let of_topic = |topic: &String| rest.starts_with(&format!("{topic}."));
    wanted.component.as_ref().is_none_or(of_component) && wanted.topic.as_ref().is_none_or(of_topic)
}

/// The last messages of a stretch.
fn last_of(span: &Span, count: i64) -> Span {
    Span { low: span.low.max(span.high.saturating_sub(count)), ..span.clone() }
}

fn read_all(reader: &mut Reader, spans: &[Span], deadline: Instant) -> Result<Vec<OwnedMessage>, DeadLettersError> {
    reader.begin(spans)?;
    let mut messages = Vec::new();
    while let Some(message) = reader.next(deadline)? {
        messages.push(message);
    }
    Ok(messages)
}

/// A letter without what it says.
fn summary_in(message: &OwnedMessage, wanted: &Wanted) -> Option<DeadLetter> {
    let mut letter = letter_in(message, Place::of(message).name())?;
    if !wanted.has(&letter.component, &letter.topic) {
        return None;
    }
    letter.body = Default::default();
    letter.headers.clear();
    if let Ok(event) = &mut letter.event {
        event.value.clear();
    }
    Some(letter)
}

fn is_unknown(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_looked_at_where_it_may_hold_what_is_wanted() {
        let wanted = |component: Option<&str>, topic: Option<&str>| Wanted {
            component: component.map(str::to_owned),
            topic: topic.map(str::to_owned),
        };
        let name = "desk-events.lamp.dlq";
        assert!(may_hold(name, &wanted(None, None)));
        assert!(may_hold(name, &wanted(Some("lamp"), Some("desk-events"))));
        assert!(!may_hold(name, &wanted(Some("amp"), None)));
        assert!(!may_hold(name, &wanted(None, Some("desk"))));
        assert!(!may_hold("desk-events", &wanted(None, None)));
    }
}
