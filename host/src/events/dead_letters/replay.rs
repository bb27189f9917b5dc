//! A dead letter goes to its component once more, and to no other.

use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use futures::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Sender;

use super::{DeadLetter, DeadLetters, DeadLettersError, Listed, Wanted};
use crate::events::{Failure, Subscriber};

/// Letters that a component may answer with `retry` before the others of a replay of all are left for another time.
const RETRIES: usize = 100;

/// Who subscribes to what: by component and topic.
pub(in crate::events) type Subscribers = HashMap<(String, String), Arc<dyn Subscriber>>;

/// The dead letters of an application, and those who may get them again.
pub struct Replay {
    stores: Vec<Arc<dyn DeadLetters>>,
    subscribers: Subscribers,
}

/// What became of a letter that was replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// The letter.
    pub name: String,
    /// What its component said.
    pub outcome: Outcome,
    /// Why, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a component said of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It took it, and the letter is gone.
    Taken,
    /// It rejected it again.
    Rejected,
    /// It asks to be given it later.
    Retry,
    /// It was not asked.
    NotReplayed,
}

impl Replay {
    pub(in crate::events) fn new(stores: Vec<Arc<dyn DeadLetters>>, subscribers: Subscribers) -> Self {
        Self { stores, subscribers }
    }

    /// The newest of those wanted, wherever they are kept.
    ///
    /// # Errors
    /// When what keeps them does not answer.
    pub async fn newest(&self, wanted: &Wanted, limit: usize) -> Result<Listed, DeadLettersError> {
        let mut all = Listed::default();
        for store in &self.stores {
            let listed = store.newest(wanted, limit).await?;
            all.letters.extend(listed.letters);
            all.more |= listed.more;
        }
        all.letters.sort_by_key(|letter| std::cmp::Reverse(letter.at));
        all.more |= all.letters.len() > limit;
        all.letters.truncate(limit);
        Ok(all)
    }

    /// The letter of this name.
    ///
    /// # Errors
    /// When what keeps them does not answer.
    pub async fn find(&self, name: &str) -> Result<Option<DeadLetter>, DeadLettersError> {
        Ok(self.look_up(name).await?.map(|(_, letter)| letter))
    }

    /// Replays these, one after the other, and tells of each. It ends when nobody listens any more.
    pub async fn named(&self, names: &[String], tell: &Sender<Replayed>) {
        for name in names {
            let replayed = match self.look_up(name).await {
                Ok(Some((store, letter))) => self.replay(&*store, &letter).await,
                Ok(None) => not_replayed(name, "there is no such dead letter; its component may have taken it by now"),
                Err(error) => not_replayed(name, &error.to_string()),
            };
            if tell.send(replayed).await.is_err() {
                return;
            }
        }
    }

    /// Replays all of those wanted that are there now, one after the other; of one key, the oldest first. Behind one that its
    /// component asks for later, those of the same key are left for later, too. It ends when nobody listens any more.
    pub async fn all(&self, wanted: &Wanted, tell: &Sender<Replayed>) {
        let mut waiting = HashSet::new();
        for store in &self.stores {
            let mut letters = store.all(wanted.clone());
            while let Some(letter) = letters.next().await {
                let letter = match letter {
                    Ok(letter) => letter,
                    Err(error) => {
                        drop(tell.send(not_replayed("", &error.to_string())).await);
                        return;
                    }
                };
                let line = (letter.component.clone(), letter.topic.clone(), letter.key.clone());
                let replayed = if waiting.contains(&line) {
                    not_replayed(&letter.name, "one of the same key before it is to come later")
                } else {
                    self.replay(&**store, &letter).await
                };
                if replayed.outcome == Outcome::Retry {
                    waiting.insert(line);
                }
                if tell.send(replayed).await.is_err() {
                    return;
                }
                if waiting.len() >= RETRIES {
                    let detail = format!("{RETRIES} keys are to come later; the rest is left for then");
                    drop(tell.send(not_replayed("", &detail)).await);
                    return;
                }
            }
        }
    }

    async fn look_up(&self, name: &str) -> Result<Option<(Arc<dyn DeadLetters>, DeadLetter)>, DeadLettersError> {
        for store in &self.stores {
            if let Some(letter) = store.find(name).await? {
                return Ok(Some((Arc::clone(store), letter)));
            }
        }
        Ok(None)
    }

    /// Gives a letter to its component. A crash between the effect and the note that it was taken leaves the letter, and the
    /// component's inbox knows it when it comes again.
    async fn replay(&self, store: &dyn DeadLetters, letter: &DeadLetter) -> Replayed {
        let event = match &letter.event {
            Ok(event) => event,
            Err(fault) => return not_replayed(&letter.name, &unreadable(fault, &letter.topic)),
        };
        let Some(subscriber) = self.subscribers.get(&(letter.component.clone(), letter.topic.clone())) else {
            let detail =
                format!("`{}` is not served here, or does not subscribe to {}", letter.component, letter.topic);
            return not_replayed(&letter.name, &detail);
        };
        let attempt = letter.replays.saturating_add(1);
        let handled = AssertUnwindSafe(subscriber.handle(event, attempt)).catch_unwind().await;
        // A handler that panics is a fault of the host, not of the event.
        let handled = handled.unwrap_or_else(|_| Err(Failure::Retry("the handler panicked".to_owned())));
        let (outcome, reason) = match handled {
            Ok(()) => (Outcome::Taken, None),
            Err(Failure::Reject(reason)) => (Outcome::Rejected, Some(reason)),
            Err(Failure::Retry(reason) | Failure::Later { reason, .. }) => (Outcome::Retry, Some(reason)),
        };
        let noted = match outcome {
            Outcome::Taken => store.taken(letter).await,
            Outcome::Rejected => store.stays(letter, reason.as_deref()).await,
            Outcome::Retry | Outcome::NotReplayed => store.stays(letter, None).await,
        };
        let (name, component) = (letter.name.as_str(), letter.component.as_str());
        tracing::info!(letter = name, event.id = %event.id, event.topic = letter.topic, component, ?outcome, "a dead letter was replayed");
        let detail = match noted {
            Ok(()) => reason,
            Err(error) => Some(format!("but it cannot be noted: {error}; replay it again, which has no second effect")),
        };
        Replayed { name: letter.name.clone(), outcome, detail }
    }
}

/// What to do about a letter in which there is no event to be read.
fn unreadable(fault: &str, topic: &str) -> String {
    format!(
        "no event can be read in it ({fault}); publish a mended one on {topic}. This one goes when the time of its own topic is up"
    )
}

fn not_replayed(name: &str, detail: &str) -> Replayed {
    Replayed { name: name.to_owned(), outcome: Outcome::NotReplayed, detail: Some(detail.to_owned()) }
}
