use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::Event;

/// A component that handles events.
#[async_trait]
pub trait Subscriber: Send + Sync {
    /// The component's name, which is also the name of its group.
    fn component(&self) -> &str;

    /// Handles one event; `attempt` counts from 1. It may come again after a crash: the handler's inbox tells.
    ///
    /// # Errors
    /// [`Failure::Retry`] and [`Failure::Later`] bring the event back, [`Failure::Reject`] puts it into the dead letters.
    async fn handle(&self, event: &Event, attempt: u32) -> Result<(), Failure>;
}

/// Why a subscriber did not take an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Not now: it parks the key and comes again, however often.
    #[error("retry: {0}")]
    Retry(String),
    /// The same, and it asks not to be given it before so long.
    #[error("retry in {} s: {reason}", pause.as_secs())]
    Later {
        /// Why not now.
        reason: String,
        /// How long it is to wait at least.
        pause: Duration,
    },
    /// Never: it goes to the dead letters.
    #[error("reject: {0}")]
    Reject(String),
}

/// Who hears of which topic.
#[derive(Clone)]
pub struct Subscription {
    /// The topic.
    pub topic: String,
    /// Who handles its events.
    pub subscriber: Arc<dyn Subscriber>,
}
