//! The exports that the host itself calls: `plaza:events/subscriber`, `plaza:schedule/task`, and those that hear messages of Redis.

use std::{
    any::Any,
    sync::{Arc, LazyLock},
    time::Instant,
};

use async_trait::async_trait;
use uuid::Uuid;
use wasmtime::component::Val;

use super::chain::Neighbourhood;
use crate::{
    events::{Event, Failure as EventFailure, Subscriber},
    redis_trigger::{self, Handler},
    schedule::{Task, TickFailure},
    service::{
        CallContext, Export, Lot, Service,
        contract::called::{HANDLE_MESSAGE, SUBSCRIBER, TASK},
    },
};

static HANDLE: LazyLock<Export> = LazyLock::new(|| Export::new(SUBSCRIBER, "handle"));
static TICK: LazyLock<Export> = LazyLock::new(|| Export::new(TASK, "tick"));
static MESSAGE_HANDLERS: LazyLock<Vec<Export>> = LazyLock::new(|| {
    redis_trigger::INTERFACES.iter().map(|interface| Export::new(interface, HANDLE_MESSAGE)).collect()
});

/// A component, and whom it may ask by HTTP.
pub struct Called {
    /// The component.
    pub service: Arc<Service>,
    /// Those whom it may ask.
    pub neighbourhood: Neighbourhood,
}

/// A component as the subscriber of a topic.
pub struct EventCalls(pub Called);

/// A component as a task.
pub struct TickCalls(pub Called);

/// A component as the handler of messages.
pub struct MessageCalls(pub Called);

#[async_trait]
impl Subscriber for EventCalls {
    fn component(&self) -> &str {
        &self.0.service.id
    }

    async fn handle(&self, event: &Event, attempt: u32) -> Result<(), EventFailure> {
        // Events of one key see one version while another is being tried.
        let lot = Lot::of(&event.key);
        let context = self.0.context(format!("event-{}", event.id), event.traceparent.as_deref(), lot);
        let params = vec![event_value(event, attempt)];
        let results = self.0.service.call(&HANDLE, params, context).await;
        // A component that fails, is busy or is being replaced may well take the event later.
        let results = results.map_err(|failure| EventFailure::Retry(failure.to_string()))?;
        match results.into_iter().next() {
            Some(Val::Result(Ok(_))) => Ok(()),
            Some(Val::Result(Err(Some(error)))) => Err(event_failure(*error)),
            other => Err(EventFailure::Retry(format!("the subscriber answered with {other:?}"))),
        }
    }
}

#[async_trait]
impl Task for TickCalls {
    fn component(&self) -> &str {
        &self.0.service.id
    }

    async fn tick(&self) -> Result<(), TickFailure> {
        let context = self.0.context(format!("tick-{}", Uuid::now_v7().simple()), None, Lot::LAST);
        let results = self.0.service.call(&TICK, Vec::new(), context).await.map_err(|failure| failure.to_string())?;
        match results.into_iter().next() {
            Some(Val::Result(Err(Some(text)))) => match *text {
                Val::String(text) => Err(text.into()),
                other => Err(format!("the task answered with {other:?}").into()),
            },
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Handler for MessageCalls {
    fn component(&self) -> &str {
        &self.0.service.id
    }

    fn message_bytes(&self) -> u64 {
        self.0.service.limits().body_bytes
    }

    fn held_bytes(&self, message_bytes: usize) -> usize {
        // Each of its bytes is handed over as a value.
        message_bytes.saturating_mul(size_of::<Val>())
    }

    async fn handle(&self, message: Vec<u8>) -> Result<(), String> {
        let lot = Lot::any();
        let version = self.0.service.versions().map(|versions| versions.pick(lot).clone());
        let exported = |export: &&Export| version.as_ref().is_some_and(|version| version.export(export).is_some());
        let Some(export) = MESSAGE_HANDLERS.iter().find(exported) else {
            return Err(format!("it exports none of {}", redis_trigger::INTERFACES.join(", ")));
        };
        let context = self.0.context(format!("message-{}", Uuid::now_v7().simple()), None, lot);
        let params = vec![Val::List(message.into_iter().map(Val::U8).collect())];
        let results = self.0.service.call(export, params, context).await.map_err(|failure| failure.to_string())?;
        match results.into_iter().next() {
            Some(Val::Result(Ok(_))) => Ok(()),
            Some(Val::Result(Err(error))) => message_failure(error.map(|error| *error)),
            other => Err(format!("the handler answered with {other:?}")),
        }
    }
}

impl Called {
    fn context(&self, request_id: String, traceparent: Option<&str>, lot: Lot) -> CallContext {
        let deadline = Instant::now() + self.service.limits().request_time();
        let root = CallContext::root(request_id.into(), traceparent.map(Into::into), deadline, lot);
        let home = self.neighbourhood.directory().map(|directory| directory as Arc<dyn Any + Send + Sync>);
        CallContext { home, ..root }
    }
}

/// The record `plaza:events/subscriber.event`, its fields in the order of the WIT.
fn event_value(event: &Event, attempt: u32) -> Val {
    let text = |value: &str| Val::String(value.to_owned());
    let fields = [
        ("id", text(&event.id.to_string())),
        ("topic", text(&event.topic)),
        ("key", text(&event.key)),
        ("type", text(&event.kind)),
        ("source", text(&event.source)),
        ("time", text(&event.time)),
        ("traceparent", Val::Option(event.traceparent.as_deref().map(|value| Box::new(text(value))))),
        ("value", text(&event.value)),
        ("attempt", Val::U32(attempt)),
    ];
    Val::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn event_failure(error: Val) -> EventFailure {
    match error {
        Val::Variant(case, Some(text)) => match (case.as_str(), *text) {
            ("reject", Val::String(reason)) => EventFailure::Reject(reason),
            (_, Val::String(reason)) => EventFailure::Retry(reason),
            (_, other) => EventFailure::Retry(format!("{other:?}")),
        },
        other => EventFailure::Retry(format!("{other:?}")),
    }
}

/// What a handler says went wrong. That of older interfaces has a word among its errors that says that nothing did.
fn message_failure(error: Option<Val>) -> Result<(), String> {
    match error {
        Some(Val::Enum(case)) if case == "success" => Ok(()),
        Some(Val::Variant(_, Some(text))) => match *text {
            Val::String(text) => Err(text),
            other => Err(format!("{other:?}")),
        },
        Some(Val::Variant(case, None) | Val::Enum(case)) => Err(case),
        other => Err(format!("the handler answered with {other:?}")),
    }
}
