//! What components do unasked: events and ticks.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    calls::{EventCalls, TickCalls},
    services::Furnished,
};
use crate::{
    control::Office,
    database::Database,
    events::{self, Events, KafkaSettings, Outbox, Replay, Subscriber, Subscription, Tally},
    manifest::{App, app::Component},
    schedule::{self, Schedule, Task},
};

/// What is under way of it.
#[derive(Default)]
pub struct Work(Mutex<State>);

#[derive(Default)]
struct State {
    under: Under,
    stopped: bool,
}

/// Relays and ticks, either of which another may take the place of.
#[derive(Default)]
pub struct Under {
    /// The relays of the outboxes.
    pub events: Option<Events>,
    /// The ticks.
    pub schedule: Option<Schedule>,
}

impl Work {
    /// Goes on with this where it says something; what it takes the place of is returned, to be stopped. Nothing begins
    /// once [`Work::end`] was called.
    pub fn replace(&self, mut next: Under) -> Under {
        let mut state = self.state();
        if !state.stopped {
            if next.events.is_some() {
                std::mem::swap(&mut state.under.events, &mut next.events);
            }
            if next.schedule.is_some() {
                std::mem::swap(&mut state.under.schedule, &mut next.schedule);
            }
        }
        next
    }

    /// What is under way, to be stopped. Nothing takes its place.
    pub fn end(&self) -> Under {
        std::mem::replace(&mut *self.state(), State { stopped: true, ..State::default() }).under
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Office for Work {
    fn replay(&self) -> Option<Arc<Replay>> {
        self.state().under.events.as_ref().map(Events::replay)
    }
}

impl Under {
    /// Begins nothing further and lets what is under way finish within `patience`.
    pub async fn stop(self, patience: Duration) {
        let ticks = async {
            if let Some(schedule) = self.schedule {
                schedule.stop(patience).await;
            }
        };
        let handlers = async {
            if let Some(events) = self.events {
                events.stop(patience).await;
            }
        };
        tokio::join!(ticks, handlers);
    }
}

/// How components are had to do what they do unasked.
pub trait Reach: Sync {
    /// The address of the component's database, and what tells that it has written there.
    fn outbox(&self, component: &Component) -> Option<(String, Arc<Notify>)>;

    /// The component as the subscriber of its topics.
    fn subscriber(&self, component: &Component) -> Option<Arc<dyn Subscriber>>;

    /// The component as a task.
    fn task(&self, component: &Component) -> Option<Arc<dyn Task>>;
}

/// Those of this process: by calls.
impl Reach for Furnished {
    fn outbox(&self, component: &Component) -> Option<(String, Arc<Notify>)> {
        let wake = self.outfit(&component.id)?.wrote();
        Some((self.databases.get(&component.id)?.url.clone(), wake))
    }

    fn subscriber(&self, component: &Component) -> Option<Arc<dyn Subscriber>> {
        Some(Arc::new(EventCalls(self.called(&component.id)?)))
    }

    fn task(&self, component: &Component) -> Option<Arc<dyn Task>> {
        Some(Arc::new(TickCalls(self.called(&component.id)?)))
    }
}

/// Carries the events of every outbox to their subscribers.
///
/// # Errors
/// An outbox that is none, or settings for Kafka that are none.
pub async fn start_events(
    app: &App,
    reach: &dyn Reach,
    database: &Database,
    kafka: Option<&KafkaSettings>,
    tally: Arc<Tally>,
) -> anyhow::Result<Events> {
    let mut outboxes = Vec::new();
    let mut subscriptions = Vec::new();
    for component in app.components.values() {
        if let Some(table) = &component.plaza.outbox
            && let Some((url, wake)) = reach.outbox(component)
        {
            outboxes.push(Outbox { component: component.id.clone(), url, table: table.clone(), wake });
        }
        let Some(subscriber) = reach.subscriber(component) else { continue };
        for topic in &component.plaza.subscribe {
            subscriptions.push(Subscription { topic: topic.clone(), subscriber: subscriber.clone() });
        }
    }
    Ok(events::start(database, outboxes, subscriptions, kafka, tally).await?)
}

/// Has every component tick that asks for it.
pub fn start_schedule(app: &App, reach: &dyn Reach, database: &Database) -> Schedule {
    let ticking = app.components.values().filter_map(|component| {
        let every = Duration::from_secs(component.plaza.tick_seconds?);
        Some((reach.task(component)?, every))
    });
    schedule::start(database, ticking.collect())
}
