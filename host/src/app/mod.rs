//! The composition root: a manifest becomes running services. The only place that knows all parts.

mod calls;
mod linker;
mod outfit;
mod prepare;
mod services;
mod variables;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;

pub use variables::from_environment;

use crate::{
    control::{Control, Overview},
    cores::{Cores, ThreadModel},
    database::{Database, DatabaseError, DatabaseSettings},
    engine::Engine,
    error::faults,
    events::{self, Events, Outbox, Subscription},
    limits::HostLimits,
    manifest::{self, App},
    router::Router,
    schedule::{self, Schedule},
    server::{Directory, Server},
};
use calls::{EventCalls, TickCalls};
use prepare::Data;
use services::Services;

/// What to run, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The manifest.
    pub manifest: PathBuf,
    /// Where the application listens.
    pub listen: SocketAddr,
    /// Where the admin port listens.
    pub control: SocketAddr,
    /// The folder for the embedded server, the compile cache and the control token.
    pub state_dir: PathBuf,
    /// A database server outside.
    pub database_url: Option<String>,
    /// Where the embedded server's programs are, or are to be installed.
    pub postgres_dir: Option<PathBuf>,
    /// `--variable`.
    pub variables: BTreeMap<String, String>,
    /// How threads are used.
    pub thread_model: ThreadModel,
    /// Bounds of the process.
    pub limits: HostLimits,
}

/// A running application.
pub struct Running {
    /// The manifest it runs.
    pub app: App,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its admin port listens.
    pub control_address: SocketAddr,
    /// Passwords that were made just now, by variable, to be shown once.
    pub fresh_passwords: BTreeMap<String, String>,
    /// How long the start took.
    pub took: Duration,
    /// How many components had to be compiled.
    pub compiled: usize,
    parts: Parts,
}

/// What runs, in the order in which it is stopped. A start that fails half-way stops what it has.
#[derive(Default)]
struct Parts {
    server: Option<Server>,
    schedule: Option<Schedule>,
    events: Option<Events>,
    control: Option<Control>,
    services: Option<Services>,
    cores: Option<Cores>,
    database: Option<Database>,
    /// Advances the epoch that makes guests yield, so it lives as long as they do.
    engine: Option<Arc<Engine>>,
}

/// Starts an application.
///
/// # Errors
/// What keeps it from starting, each with what to do about it. What was started already is stopped again.
pub async fn start(options: Options) -> anyhow::Result<Running> {
    let started = Instant::now();
    let app = load(&options.manifest)?;
    let mut parts = Parts::default();
    match build(&app, &options, &mut parts).await {
        Ok(built) => Ok(Running {
            address: built.address,
            control_address: built.control_address,
            fresh_passwords: built.fresh_passwords,
            took: started.elapsed(),
            compiled: built.compiled,
            app,
            parts,
        }),
        Err(error) => {
            parts.stop(Duration::ZERO).await;
            Err(error)
        }
    }
}

/// Creates and migrates the components' databases; returns what was applied, by component.
///
/// # Errors
/// What the manifest, the database or a migration says.
pub async fn migrate(manifest: &Path, mut settings: DatabaseSettings) -> anyhow::Result<Vec<(String, Vec<String>)>> {
    let app = manifest::load(manifest).map_err(faults)?;
    settings.state_dir = prepare::state_dir(&settings.state_dir)?;
    let Some(database) = prepare::database(&app, &settings).await? else { return Ok(Vec::new()) };
    let provisioned = prepare::provision(&app, &database).await;
    database.stop().await?;
    Ok(provisioned?.into_iter().map(|one| (one.component, one.applied)).collect())
}

/// Reads a manifest whose files are all there.
fn load(manifest: &Path) -> anyhow::Result<App> {
    let reading = manifest::read(manifest);
    let missing = reading.missing_files();
    let mut found = reading.into_app();
    if !missing.is_empty() {
        found = match found {
            Ok(_) => Err(missing),
            Err(others) => Err(others.into_iter().chain(missing).collect()),
        };
    }
    found.map_err(faults)
}

impl Running {
    /// Returns when the embedded database server is gone for good.
    pub fn database_lost(&self) -> impl Future<Output = DatabaseError> + use<> {
        let lost = self.parts.database.as_ref().map(Database::lost);
        async move {
            match lost {
                Some(lost) => lost.await,
                None => std::future::pending().await,
            }
        }
    }

    /// Accepts nothing more, lets what is in flight finish within `patience`, and stops everything; returns whether
    /// it all finished in time.
    pub async fn stop(self, patience: Duration) -> bool {
        self.parts.stop(patience).await
    }
}

struct Built {
    address: SocketAddr,
    control_address: SocketAddr,
    fresh_passwords: BTreeMap<String, String>,
    compiled: usize,
}

async fn build(app: &App, options: &Options, parts: &mut Parts) -> anyhow::Result<Built> {
    let state_dir = prepare::state_dir(&options.state_dir)?;
    let engine = Engine::new(&options.limits, &state_dir.join("cache"))?;
    let engine = parts.engine.insert(Arc::new(engine)).clone();
    let loading = services::load_artifacts(app, &engine);
    let settings = DatabaseSettings {
        state_dir: state_dir.clone(),
        postgres_dir: options.postgres_dir.clone(),
        external_url: options.database_url.clone(),
    };
    let (artifacts, database) = tokio::join!(loading, prepare::database(app, &settings));
    parts.database = database?;
    let artifacts = artifacts?;
    let data = prepare::data(app, options, parts.database.as_ref()).await?;

    let cores = parts.cores.insert(Cores::start(options.thread_model, options.limits.cores)?);
    let scratch = state_dir.join("files");
    let services = parts.services.insert(services::assemble(app, &engine, artifacts, &data.values, cores, &scratch)?);
    if let Some(database) = &parts.database {
        parts.events = Some(start_events(app, services, &data, database).await?);
        parts.schedule = Some(start_schedule(app, services, database));
    }
    let directory = Arc::new(Directory {
        router: Router::new(app.routes.iter().map(|one| (one.component.as_str(), one.route.clone())))?,
        services: services.by_id.clone(),
    });
    let overview = Overview { name: app.name.clone(), services: services.by_id.clone() };
    let control = Control::start(options.control, &state_dir, overview).await;
    let control = parts.control.insert(control?);
    let server = Server::start(options.listen, directory, &options.limits, cores.lanes()).await;
    let server = parts.server.insert(server.with_context(|| listen_advice(options.listen))?);
    Ok(Built {
        address: server.address,
        control_address: control.address,
        fresh_passwords: data.fresh_passwords,
        compiled: services.compiled,
    })
}

async fn start_events(app: &App, services: &Services, data: &Data, database: &Database) -> anyhow::Result<Events> {
    let mut outboxes = Vec::new();
    let mut subscriptions = Vec::new();
    for component in app.components.values() {
        let id = component.id.as_str();
        let wake = services.outfits.get(id).map(|outfit| outfit.wrote());
        if let (Some(table), Some(database), Some(wake)) = (&component.plaza.outbox, data.databases.get(id), wake) {
            let (url, table) = (database.url.clone(), table.clone());
            outboxes.push(Outbox { component: id.to_owned(), url, table, wake });
        }
        let Some(service) = services.by_id.get(id) else { continue };
        for topic in &component.plaza.subscribe {
            let subscriber = Arc::new(EventCalls(service.clone()));
            subscriptions.push(Subscription { topic: topic.clone(), subscriber });
        }
    }
    Ok(events::start(database, outboxes, subscriptions).await?)
}

fn start_schedule(app: &App, services: &Services, database: &Database) -> Schedule {
    let ticking = app.components.values().filter_map(|component| {
        let every = Duration::from_secs(component.plaza.tick_seconds?);
        let service = services.by_id.get(component.id.as_str())?;
        Some((Arc::new(TickCalls(service.clone())) as Arc<dyn schedule::Task>, every))
    });
    schedule::start(database, ticking.collect())
}

fn listen_advice(address: SocketAddr) -> String {
    format!(
        "cannot listen on {address}; if another program has the port, name another with --listen (port 0 takes a free one)"
    )
}

impl Parts {
    async fn stop(self, patience: Duration) -> bool {
        let in_time = match self.server {
            Some(server) => server.stop(patience).await,
            None => true,
        };
        if let Some(schedule) = self.schedule {
            schedule.stop().await;
        }
        if let Some(events) = self.events {
            events.stop().await;
        }
        if let Some(control) = self.control {
            control.stop().await;
        }
        if let Some(services) = self.services {
            services.close().await;
        }
        if let Some(cores) = self.cores {
            _ = tokio::task::spawn_blocking(|| cores.stop()).await;
        }
        if let Some(database) = self.database
            && let Err(error) = database.stop().await
        {
            tracing::error!(%error, "the database did not stop in order");
        }
        in_time
    }
}
