//! Events that a subscriber rejected, kept until an operator has dealt with them.

mod error;
mod letter;
mod replay;
mod table;

use async_trait::async_trait;
use futures::stream::BoxStream;

pub use self::{
    error::DeadLettersError,
    letter::{Body, DeadLetter},
    replay::{Outcome, Replay, Replayed},
};
pub(super) use self::{
    replay::Subscribers,
    table::{InTable, storable},
};

/// Where dead letters are kept.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// The newest of those wanted, the newest first, at most `limit`.
    ///
    /// # Errors
    /// When what keeps them does not answer.
    async fn newest(&self, wanted: &Wanted, limit: usize) -> Result<Listed, DeadLettersError>;

    /// The one of this name; none where it is not here, or has been taken.
    ///
    /// # Errors
    /// When what keeps them does not answer.
    async fn find(&self, name: &str) -> Result<Option<DeadLetter>, DeadLettersError>;

    /// All of those wanted that are there now; of one key, the oldest first. Dropping the stream ends it.
    fn all(&self, wanted: Wanted) -> BoxStream<'static, Result<DeadLetter, DeadLettersError>>;

    /// Its component has taken it after all, so it is not to be found any more. Saying so again does no harm.
    ///
    /// # Errors
    /// When it cannot be written down.
    async fn taken(&self, letter: &DeadLetter) -> Result<(), DeadLettersError>;

    /// It was replayed and stays; a component that rejected it again gave this reason.
    ///
    /// # Errors
    /// When it cannot be written down.
    async fn stays(&self, letter: &DeadLetter, reason: Option<&str>) -> Result<(), DeadLettersError>;
}

/// Which dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those of this component alone.
    pub component: Option<String>,
    /// Those of this topic alone.
    pub topic: Option<String>,
}

/// Some dead letters. What their events say is left out, for there may be many.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// The newest first.
    pub letters: Vec<DeadLetter>,
    /// Whether there are more than were asked for, or may be, since looking for them took too long.
    pub more: bool,
}

impl Wanted {
    /// Whether what a component rejected of a topic is wanted.
    pub fn has(&self, component: &str, topic: &str) -> bool {
        self.component.as_ref().is_none_or(|wanted| wanted == component)
            && self.topic.as_ref().is_none_or(|wanted| wanted == topic)
    }
}
