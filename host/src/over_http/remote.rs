//! A component that is asked over HTTP to do what it does unasked.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;

use super::{Target, answer::Refusal, message, target::path};
use crate::{
    events::{Event, Failure, Subscriber},
    schedule::{Task, TickFailure},
};

/// What gives an event to the component's subscriber.
const EVENTS: &str = "events";
/// What has it do its work by the clock.
const TICK: &str = "tick";

/// How much longer the answer is waited for than the component may take: where it is bounded there, it is that bound which ends it.
const GRACE: Duration = Duration::from_secs(2);

/// A component, as a subscriber and as a task.
pub struct Remote {
    target: Arc<Target>,
    component: String,
    patience: Duration,
}

impl Remote {
    /// A component of that application, which may take so long for an event or a tick.
    pub fn new(target: Arc<Target>, component: &str, request_time: Duration) -> Self {
        Self { target, component: component.to_owned(), patience: request_time + GRACE }
    }

    /// Where a component is given its events.
    pub fn events_path(component: &str) -> String {
        path(component, EVENTS)
    }

    /// Where it is told to do its work by the clock.
    pub fn tick_path(component: &str) -> String {
        path(component, TICK)
    }
}

#[async_trait]
impl Subscriber for Remote {
    fn component(&self) -> &str {
        &self.component
    }

    async fn handle(&self, event: &Event, attempt: u32) -> Result<(), Failure> {
        let (headers, body) = (message::headers(event, attempt), Bytes::from(event.value.clone()));
        let posted = self.target.post(&self.component, EVENTS, headers, body, self.patience).await;
        posted.map_err(|refusal| match refusal {
            Refusal::Rejected(reason) => Failure::Reject(reason),
            Refusal::NotNow { reason, pause: Some(pause) } => Failure::Later { reason, pause },
            Refusal::NotNow { reason, pause: None } => Failure::Retry(reason),
        })
    }
}

#[async_trait]
impl Task for Remote {
    fn component(&self) -> &str {
        &self.component
    }

    async fn tick(&self) -> Result<(), TickFailure> {
        let posted = self.target.post(&self.component, TICK, HeaderMap::new(), Bytes::new(), self.patience).await;
        posted.map_err(|refusal| match refusal {
            Refusal::Rejected(reason) => reason.into(),
            Refusal::NotNow { reason, pause } => TickFailure { reason, pause },
        })
    }
}
