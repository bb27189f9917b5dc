//! What components do unasked, for an application that is served by somebody who does not have them do it: their events are carried
//! and the time is kept here, and they themselves are asked over HTTP. No component is loaded.

mod options;
mod values;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::bail;
use tokio::sync::Notify;

pub use options::Options;

use super::{
    prepare,
    variables::Sources,
    work::{Reach, Under, Work, start_events, start_schedule},
};
use crate::{
    control::{Control, RelayDesk},
    database::{Database, DatabaseSettings, StateLock},
    error::faults,
    events::{EventsError, Subscriber, Tally},
    manifest::{self, App, app::Component},
    over_http::{Remote, Target},
    router::Router,
    schedule::Task,
};

/// A running relay.
pub struct Relaying {
    /// The manifest it was started with.
    pub app: App,
    /// Whom it asks.
    pub target: Arc<Target>,
    /// Where its admin port listens.
    pub control_address: std::net::SocketAddr,
    /// How long the start took.
    pub took: Duration,
    work: Arc<Work>,
    control: Control,
    database: Arc<Database>,
    _lock: StateLock,
}

/// Starts to relay.
///
/// # Errors
/// What keeps it from starting, each with what to do about it.
pub async fn start(options: Options) -> anyhow::Result<Relaying> {
    let started = Instant::now();
    let mut reading = manifest::read(&options.manifest);
    reading.leave_out_unused();
    let app = reading.into_app().map_err(faults)?;
    let asked: Vec<String> = asked(&app).map(|component| component.id.clone()).collect();
    if asked.is_empty() && app.components.values().all(|component| component.plaza.outbox.is_none()) {
        bail!(
            "there is nothing to relay: no component of {} has an outbox, subscribes to a topic or ticks (under \
             [component.<id>.tool.plaza])",
            options.manifest.file.display()
        );
    }
    let state_dir = prepare::state_dir(&options.state_dir)?;
    let lock = StateLock::take(&state_dir)?;
    let settings = DatabaseSettings {
        state_dir: state_dir.clone(),
        postgres_dir: None,
        external_url: Some(options.database_url.clone()),
        component_connections: 0,
    };
    let database = Arc::new(Database::start(&settings).await?);
    let Options { variables, environment, token_variable, .. } = options;
    let mut sources = Sources { flags: variables, environment, made: BTreeMap::new() };
    let token = values::token(&app, &mut sources, &database, &token_variable).await?;
    let authorities = options.authorities.as_deref();
    let target = Arc::new(Target::new(options.target, (&token_variable, &token), authorities, asked)?);
    warn_of_missing_routes(&app, &target);

    let urls = values::outboxes(&app, &sources, &database).await?;
    let reach = OverHttp { target: target.clone(), urls };
    let tally = Arc::new(Tally::default());
    let events = start_events(&app, &reach, &database, options.kafka.as_ref(), tally.clone()).await;
    let events = events.map_err(with_remedy)?;
    let work = Arc::new(Work::default());
    work.replace(Under { events: Some(events), schedule: Some(start_schedule(&app, &reach, &database)) });
    let desk = RelayDesk {
        application: app.name.clone(),
        target: target.clone(),
        database: database.clone(),
        events: tally,
        office: work.clone(),
    };
    let control = Control::start(options.control, None, &state_dir, desk.routes()).await?;
    let control_address = control.address;
    Ok(Relaying { app, target, control_address, took: started.elapsed(), work, control, database, _lock: lock })
}

impl Relaying {
    /// Begins nothing further, and lets what is under way finish within `patience`.
    pub async fn stop(self, patience: Duration) {
        self.work.end().stop(patience).await;
        self.control.stop().await;
        if let Err(error) = self.database.stop().await {
            tracing::error!(%error, "the connections to the database did not end in order");
        }
    }
}

/// Nothing is migrated here: who serves the components knows which of their versions the databases are to fit.
fn with_remedy(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref() {
        Some(EventsError::Table { .. }) => error.context("a relay makes no tables; `plaza migrate` does"),
        _ => error,
    }
}

/// Components that are asked for something.
fn asked(app: &App) -> impl Iterator<Item = &Component> {
    app.components.values().filter(|component| component.works_by_itself())
}

/// What stands before the application may know other routes than the manifest does, so this is no error.
fn warn_of_missing_routes(app: &App, target: &Target) {
    let routes = app.routes.iter().map(|trigger| (trigger.component.as_str(), trigger.route.clone()));
    // A manifest with faulty routes has not come so far.
    let Ok(router) = Router::new(routes) else { return };
    for component in asked(app) {
        let id = component.id.as_str();
        let events = (!component.plaza.subscribe.is_empty()).then(|| Remote::events_path(id));
        let tick = component.plaza.tick_seconds.map(|_| Remote::tick_path(id));
        for path in events.into_iter().chain(tick) {
            let path = format!("{}{path}", target.address().path());
            if router.find(&path).is_none_or(|found| **found.component != *id) {
                tracing::warn!(
                    component = id,
                    path,
                    "no route of the manifest leads there; the component may not be reached"
                );
            }
        }
    }
}

/// Components wherever they are.
struct OverHttp {
    target: Arc<Target>,
    /// The databases with an outbox, by component.
    urls: BTreeMap<String, String>,
}

impl OverHttp {
    fn remote(&self, component: &Component) -> Arc<Remote> {
        Arc::new(Remote::new(self.target.clone(), &component.id, component.plaza.limits.request_time()))
    }
}

impl Reach for OverHttp {
    fn outbox(&self, component: &Component) -> Option<(String, Arc<Notify>)> {
        // Nobody tells here that something was written: the outbox is looked into often enough.
        Some((self.urls.get(&component.id)?.clone(), Arc::default()))
    }

    fn subscriber(&self, component: &Component) -> Option<Arc<dyn Subscriber>> {
        Some(self.remote(component))
    }

    fn task(&self, component: &Component) -> Option<Arc<dyn Task>> {
        Some(self.remote(component))
    }
}
