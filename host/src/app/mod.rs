//! The composition root: a manifest becomes running services. The only place that knows all parts.

mod apply;
mod artifacts;
mod calls;
mod chain;
mod channels;
pub mod check;
mod initial;
pub mod linker;
mod migrate;
mod options;
mod outfit;
mod plan;
mod prepare;
mod recompose;
pub mod relay;
mod rollout;
pub mod served;
mod services;
mod standings;
mod storage;
mod survey;
mod variables;
mod work;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use arc_swap::ArcSwap;

pub use initial::{Initial, Sql};
pub use migrate::{Migrated, Variables, migrate};
pub use options::Options;
pub use prepare::state_dir;
pub use served::host_serves;
pub use variables::from_environment;

use crate::{
    capability::key_value::SharedRows,
    compose::Files,
    control::{Control, Desk, Manifest},
    cores::Cores,
    database::{Database, DatabaseError, DatabaseSettings, StateLock},
    engine::Engine,
    error::faults,
    events::Tally,
    limits::HostLimits,
    manifest::{self, App},
    redis_trigger::Listeners,
    rollout::{Following, InFolder, InPostgres, Ledger, Rollout, open as open_ledger},
    server::{self, Server},
};
use apply::Applying;
use artifacts::Making;
use outfit::Premises;
use rollout::Workbench;
use services::Services;
use standings::{Begun, refuse_unfit_files, serve_standings};
use storage::Storage;
use work::{Under, Work, start_events, start_schedule};

/// A running application.
pub struct Running {
    /// The manifest it was started with.
    pub app: Arc<App>,
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether it speaks TLS there.
    pub secure: bool,
    /// Where its admin port listens.
    pub control_address: SocketAddr,
    /// How long the start took.
    pub took: Duration,
    /// How many components had to be compiled.
    pub compiled: usize,
    unseen_passwords: BTreeMap<String, String>,
    rollout: Arc<Rollout>,
    manifest: Arc<dyn Manifest>,
    parts: Parts,
}

/// What runs, in the order in which it is stopped. A start that fails half-way stops what it has.
#[derive(Default)]
struct Parts {
    server: Option<Server>,
    work: Arc<Work>,
    listeners: Arc<Listeners>,
    control: Option<Control>,
    following: Option<Following>,
    services: Option<Arc<Services>>,
    cores: Option<Cores>,
    database: Option<Arc<Database>>,
    /// Advances the epoch that makes guests yield, so it lives as long as they do.
    engine: Option<Arc<Engine>>,
    lock: Option<StateLock>,
}

/// Starts an application.
///
/// # Errors
/// What keeps it from starting, each with what to do about it. What was started already is stopped again.
pub async fn start(options: Options) -> anyhow::Result<Running> {
    let started = Instant::now();
    let app = Arc::new(load(&options)?);
    let secure = options.tls.is_some();
    let mut parts = Parts::default();
    match build(&app, &options, &mut parts).await {
        Ok(built) => Ok(Running {
            address: built.address,
            secure,
            control_address: built.control_address,
            unseen_passwords: built.unseen_passwords,
            took: started.elapsed(),
            compiled: built.compiled,
            rollout: built.rollout,
            manifest: built.manifest,
            app,
            parts,
        }),
        Err(error) => {
            parts.stop(Duration::ZERO).await;
            Err(error)
        }
    }
}

/// Reads a manifest whose files and stores are all there, without what nothing uses.
fn load(options: &Options) -> anyhow::Result<App> {
    let mut reading = manifest::read(&options.manifest);
    let idle = reading.leave_out_idle();
    if !idle.is_empty() {
        tracing::warn!(
            components = idle.join(" "),
            "left out, since no trigger and no other component uses them, and they are not marked as optional"
        );
    }
    let unused = reading.leave_out_unused();
    if !unused.is_empty() {
        tracing::info!(components = unused.join(" "), "left out, since nothing uses them");
    }
    let mut missing = reading.missing_files();
    missing.extend(reading.unknown_stores(&options.runtime_config));
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
        let lost = self.parts.database.as_ref().map(|database| database.lost());
        async move {
            match lost {
                Some(lost) => lost.await,
                None => std::future::pending().await,
            }
        }
    }

    /// What changes its components.
    pub fn rollout(&self) -> Arc<Rollout> {
        self.rollout.clone()
    }

    /// What reads its manifest again.
    pub fn manifest(&self) -> Arc<dyn Manifest> {
        self.manifest.clone()
    }

    /// Generated passwords that nobody has been shown, by variable. They are to be shown now: the next call, or host,
    /// gets none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn passwords_to_show(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let names: Vec<String> = self.unseen_passwords.keys().cloned().collect();
        let Some(database) = self.parts.database.as_ref().filter(|_| !names.is_empty()) else {
            return Ok(BTreeMap::new());
        };
        let mine = database.show(&names).await?;
        let unseen = self.unseen_passwords.iter().filter(|(name, _)| mine.contains(name));
        Ok(unseen.map(|(name, password)| (name.clone(), password.clone())).collect())
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
    unseen_passwords: BTreeMap<String, String>,
    compiled: usize,
    rollout: Arc<Rollout>,
    manifest: Arc<dyn Manifest>,
}

async fn build(app: &Arc<App>, options: &Options, parts: &mut Parts) -> anyhow::Result<Built> {
    let state_dir = prepare::state_dir(&options.state_dir)?;
    if options.database_url.is_some() || !prepare::needs_database(app, &options.runtime_config) {
        // The embedded server locks the folder itself.
        parts.lock = Some(StateLock::take(&state_dir)?);
    }
    let limits = HostLimits { parts_per_instance: prepare::parts_per_instance(app), ..options.limits.clone() };
    let engine = Engine::new(&limits, &state_dir.join("cache"))?;
    let engine = parts.engine.insert(Arc::new(engine)).clone();
    let reading = app.clone();
    let reading = tokio::task::spawn_blocking(move || Files::read(reading.components.values()));
    let files = reading.await.context("reading the files of dependencies was interrupted")?;
    let loading = artifacts::load(app.components.values(), &files, &engine, Engine::load_bytes);
    let settings = DatabaseSettings {
        state_dir: state_dir.clone(),
        postgres_dir: options.postgres_dir.clone(),
        external_url: options.database_url.clone(),
        component_connections: prepare::component_connections(app),
    };
    let (loaded, database) = tokio::join!(loading, prepare::database(app, &options.runtime_config, &settings));
    parts.database = database?.map(Arc::new);
    let loaded = loaded?;
    let data = prepare::data(app, options, parts.database.as_deref(), &|_| true).await?;

    let cores = parts.cores.insert(Cores::start(options.thread_model, options.limits.cores)?);
    let shared = parts
        .database
        .as_ref()
        .map(|database| SharedRows { pool: database.shared_rows(), application: app.name.clone() });
    let storage = Storage::new(&state_dir, &options.runtime_config, shared);
    options.initial.give(&storage).await?;
    let blocked = options.runtime_config.blocked_networks.clone();
    let premises = Premises { scratch: state_dir.join("files"), storage, blocked };
    let services = Services::new(app.clone(), engine.clone(), data.values, data.databases, cores, premises)?;
    let services = parts.services.insert(Arc::new(services)).clone();
    let ledger = ledger(app, &state_dir, parts.database.as_deref())?;
    refuse_unfit_files(&loaded, &*ledger, options.files_only).await?;
    let standings = open_ledger(&*ledger, &artifacts::files(&loaded), options.files_only).await?;
    let now = services.now();
    let making = Making {
        loaded: &loaded,
        files: &files,
        ledger: &*ledger,
        services: &services,
        furnished: &now,
        load: Engine::load_bytes,
    };
    let Begun { standings, left, compiled } = serve_standings(standings, &making).await?;
    let leases = parts.database.as_ref().map(|database| database.leases());
    let workbench = Arc::new(Workbench::new(services.clone(), app.clone(), files));
    let rollout = Rollout::new(&app.name, ledger, workbench.clone(), standings, leases);
    rollout.left_at_the_start(left);
    parts.following = Some(rollout.follow());
    let directory = Arc::new(ArcSwap::from_pointee(now.directory()?));
    // What comes unasked may ask others.
    services.neighbourhood.open(&directory);
    let tally = Arc::new(Tally::default());
    if let Some(database) = &parts.database {
        let events = Some(start_events(&now.app, &*now, database, options.kafka.as_ref(), tally.clone()).await?);
        parts.work.replace(Under { events, schedule: Some(start_schedule(&now.app, &*now, database)) });
    }
    parts.listeners.become_these(channels::listeners(&now)?);
    let applying = Arc::new(Applying {
        options: options.clone(),
        database: parts.database.clone(),
        services,
        workbench,
        parts_per_instance: limits.parts_per_instance,
        rollout: rollout.clone(),
        directory: directory.clone(),
        work: parts.work.clone(),
        listeners: parts.listeners.clone(),
        tally: tally.clone(),
    });
    let desk = Desk {
        application: app.name.clone(),
        rollout: rollout.clone(),
        manifest: applying.clone(),
        events: tally,
        listeners: parts.listeners.clone(),
        office: parts.work.clone(),
        background: cores.background().clone(),
    };
    let left = Some(options.listen.address.port());
    let control = parts.control.insert(Control::start(options.control, left, &state_dir, desk.routes()).await?);
    let settings = server::Settings::new(&options.limits, options.tls.clone(), options.trusted_proxies.clone());
    let server = Server::start(options.listen, directory, settings, cores.lanes()).await;
    let server = parts.server.insert(server.with_context(|| listen_advice(options.listen.address))?);
    Ok(Built {
        address: server.address,
        control_address: control.address,
        unseen_passwords: data.unseen_passwords,
        compiled,
        rollout,
        manifest: applying,
    })
}

/// Where it is written down which versions there are.
fn ledger(app: &App, state_dir: &Path, database: Option<&Database>) -> anyhow::Result<Box<dyn Ledger>> {
    Ok(match database {
        Some(database) => Box::new(InPostgres::new(database.state().clone(), &app.name)),
        None => Box::new(InFolder::open(state_dir)?),
    })
}

fn listen_advice(address: SocketAddr) -> String {
    format!(
        "cannot listen on {address}; if another program has the port, name another with --listen (port 0 takes a free one)"
    )
}

impl Parts {
    async fn stop(self, patience: Duration) -> bool {
        // Requests, ticks, events and messages have one deadline together.
        let requests = async {
            match self.server {
                Some(server) => server.stop(patience).await,
                None => true,
            }
        };
        let (in_time, (), ()) = tokio::join!(requests, self.work.end().stop(patience), self.listeners.stop(patience));
        if let Some(control) = self.control {
            control.stop().await;
        }
        if let Some(following) = self.following {
            following.stop().await;
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
