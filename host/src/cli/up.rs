//! `plaza up`: serves an application.

use std::{
    collections::BTreeMap,
    io::Write,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::{Args, builder::RangedU64ValueParser as Range};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    build,
    fetch::fetch,
    kafka::KafkaFlags,
    options::{DataFlags, ManifestFlag, ProxyFlag, RuntimeConfigFlag, TlsFlags, listening},
    origin::OriginFlags,
    single,
    spin::SpinFlags,
    variables,
    watch::Watch,
};
use crate::{
    app::{self, Options, Running},
    cores::ThreadModel,
    error::faults,
    limits::{HostLimits, LEAST_HEADER_BYTES},
    manifest::{
        self,
        app::{Route, StaticResponse},
    },
    registry::Insecure,
    server::Listen,
    telemetry,
};

/// The admin port of a host that is told of none. Several may be on one machine.
const CONTROL: Listen = Listen { address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3001), or_behind: true };

/// The most that a flag may say: what is more is a mistake, and could not be reckoned with.
const DAY_SECONDS: u64 = 24 * 60 * 60;
const COUNT: u64 = 1_000_000;
const HEADER_BYTES: u64 = 16 * 1024 * 1024;

/// Serve an application until Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza up                                     serve ./spin.toml on http://127.0.0.1:3000
  plaza up --build                             build the components first
  plaza up --build --watch                     and again whenever their sources change
  plaza up -f app/spin.toml --listen 0.0.0.0:8080
  plaza up -f app.wasm                         serve a component that has no manifest
  plaza up --from ghcr.io/somebody/app:1.0     an application in a registry, put there by `plaza registry push` or Spin
  plaza up --database-url postgres://admin:secret@db.example.com/postgres
  plaza up --kafka kafka-1:9092,kafka-2:9092   events go through Kafka
  plaza up --variable log_level=debug          set a variable of the application")]
pub struct Up {
    #[command(flatten)]
    manifest: ManifestFlag,

    #[command(flatten)]
    origin: OriginFlags,

    /// Build the components first
    #[arg(long)]
    build: bool,

    /// Build a component when its sources change, and replace it without a restart
    #[arg(long)]
    watch: bool,

    /// Where the application listens, an address or a name, with a port; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", env = "SPIN_HTTP_LISTEN_ADDR", default_value = "127.0.0.1:3000",
        value_parser = listening)]
    listen: SocketAddr,

    /// Where the admin port listens; port 0 takes a free one, and without a word it is 127.0.0.1:3001 or the next port that is free
    #[arg(long, value_name = "ADDRESS")]
    control: Option<SocketAddr>,

    #[command(flatten)]
    tls: TlsFlags,

    #[command(flatten)]
    proxies: ProxyFlag,

    #[command(flatten)]
    data: DataFlags,

    #[command(flatten)]
    runtime_config: RuntimeConfigFlag,

    #[command(flatten)]
    spin: SpinFlags,

    #[command(flatten)]
    kafka: KafkaFlags,

    /// Serve the manifest's files, whatever was deployed in their place
    #[arg(long)]
    files_only: bool,

    /// Print the addresses only, and log warnings and errors only
    #[arg(short, long)]
    quiet: bool,

    /// Threads that serve requests [default: one for each core]
    #[arg(long, value_name = "COUNT", value_parser = Range::<usize>::new().range(1..=1024))]
    cores: Option<usize>,

    /// Open connections; further ones wait
    #[arg(long, value_name = "COUNT", default_value_t = HostLimits::default().connections,
        value_parser = Range::<usize>::new().range(1..=COUNT))]
    connections: usize,

    /// Instances of all components together
    #[arg(long, value_name = "COUNT", default_value_t = HostLimits::default().total_instances,
        value_parser = Range::<u32>::new().range(1..=COUNT))]
    instances: u32,

    /// Bytes of a request's head
    #[arg(long, visible_alias = "http1-max-buf-size", env = "SPIN_HTTP1_MAX_BUF_SIZE", value_name = "BYTES", default_value_t = HostLimits::default().header_bytes,
        value_parser = Range::<usize>::new().range(LEAST_HEADER_BYTES as u64..=HEADER_BYTES))]
    header_bytes: usize,

    /// Seconds that a client may take to send a request's head
    #[arg(long, value_name = "SECONDS", default_value_t = HostLimits::default().header_timeout.as_secs(),
        value_parser = seconds(1))]
    header_timeout: u64,

    /// Seconds that a client may pause in the middle of a request's body
    #[arg(long, value_name = "SECONDS", default_value_t = HostLimits::default().body_timeout.as_secs(),
        value_parser = seconds(1))]
    body_timeout: u64,

    /// Seconds that a connection may stand idle, and a client may leave its answer unread
    #[arg(long, value_name = "SECONDS", default_value_t = HostLimits::default().idle_timeout.as_secs(),
        value_parser = seconds(1))]
    idle_timeout: u64,

    /// Seconds that a client of HTTP/2 may leave the next piece of its answer unread
    #[arg(long, value_name = "SECONDS", default_value_t = HostLimits::default().unread_timeout.as_secs(),
        value_parser = seconds(1))]
    unread_timeout: u64,

    /// Seconds that requests in flight get to finish at shutdown
    #[arg(long, value_name = "SECONDS", default_value_t = HostLimits::default().shutdown_timeout.as_secs(),
        value_parser = seconds(0))]
    shutdown_timeout: u64,

    /// Seconds of processor time that compiling a component may take when it is deployed
    #[arg(long, value_name = "SECONDS", default_value_t = HostLimits::default().compile_time.as_secs(),
        value_parser = seconds(1))]
    compile_time: u64,

    /// How requests are spread over cores
    #[arg(long, value_enum, default_value_t, hide = true)]
    thread_model: ThreadModel,
}

fn seconds(least: u64) -> Range<u64> {
    Range::new().range(least..=DAY_SECONDS)
}

impl Up {
    pub(super) fn run(mut self) -> anyhow::Result<ExitCode> {
        let _log = telemetry::init(self.quiet)?;
        let (builds, quiet, watch) = (self.build, self.quiet, self.watch);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let artifact = self.origin.artifact(self.manifest.named())?;
        let insecure = Insecure::of(self.origin.transport.insecure, artifact.as_ref());
        let held = if let Some(reference) = artifact {
            ensure!(!builds && !watch, "what {reference} holds is built already; take --build and --watch out");
            let (folder, held) = runtime.block_on(self.origin.fetch(&reference, &self.data.server.state_dir))?;
            self.manifest.is_in(folder);
            Some(held)
        } else {
            if single::is_component(self.manifest.named()) {
                self.manifest.is_in(single::folder(self.manifest.named(), &self.data.server.state_dir)?);
            }
            self.manifest.hold()?
        };
        fetch(&self.manifest.source(), &[], &insecure)?;
        let options = self.options()?;
        if builds {
            let app = manifest::load(&options.manifest).map_err(faults)?;
            build::build(&app, &[])?;
        }
        let served = runtime.block_on(serve(options, quiet, watch));
        // A compilation that a signal interrupted is not waited for.
        runtime.shutdown_background();
        drop(held);
        served
    }

    fn options(self) -> anyhow::Result<Options> {
        let defaults = HostLimits::default();
        let limits = HostLimits {
            cores: self.cores.unwrap_or(defaults.cores),
            connections: self.connections,
            total_instances: self.instances,
            header_bytes: self.header_bytes,
            header_timeout: Duration::from_secs(self.header_timeout),
            body_timeout: Duration::from_secs(self.body_timeout),
            idle_timeout: Duration::from_secs(self.idle_timeout),
            unread_timeout: Duration::from_secs(self.unread_timeout),
            shutdown_timeout: Duration::from_secs(self.shutdown_timeout),
            compile_time: Duration::from_secs(self.compile_time),
            ..defaults
        };
        let database_url = self.data.server.database_url()?;
        let manifest = manifest::Source { given: self.spin.given()?, ..self.manifest.source() };
        let runtime_config = self.runtime_config.read().map_err(faults)?;
        for table in &runtime_config.passed_over {
            tracing::warn!(
                "[{table}] of the runtime config is passed over: the host bounds connections to others itself"
            );
        }
        let folder = manifest.file.parent().unwrap_or(Path::new(""));
        Ok(Options {
            environment: variables::around(folder, &runtime_config.providers)?,
            manifest,
            listen: Listen { address: self.listen, or_behind: self.spin.find_free_port },
            tls: self.tls.identity()?,
            trusted_proxies: self.proxies.read()?,
            control: self.control.map_or(CONTROL, |address| Listen { address, or_behind: false }),
            runtime_config,
            initial: self.spin.initial()?,
            variables: variables::given(&self.data.variables)?,
            state_dir: self.data.server.state_dir,
            database_url,
            postgres_dir: self.data.server.postgres_dir,
            kafka: self.kafka.settings()?,
            files_only: self.files_only,
            thread_model: self.thread_model,
            limits,
        })
    }
}

async fn serve(options: Options, quiet: bool, watch: bool) -> anyhow::Result<ExitCode> {
    // Before anything is started, so that a signal during the start is not lost.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let patience = options.limits.shutdown_timeout;
    let starting = app::start(options);
    let running = tokio::select! {
        running = starting => running?,
        _ = interrupt.recv() => anyhow::bail!("interrupted while starting"),
        _ = terminate.recv() => anyhow::bail!("terminated while starting"),
    };
    let watch = match watch.then(|| Watch::new(running.app.clone(), running.rollout(), running.manifest())).transpose()
    {
        Ok(watch) => watch,
        Err(error) => {
            running.stop(Duration::ZERO).await;
            return Err(error);
        }
    };
    let passwords = running.passwords_to_show().await?;
    announce(&running, &passwords, quiet).context("cannot print the addresses")?;
    let watching = async {
        match watch {
            Some(watch) => watch.run().await,
            None => std::future::pending().await,
        }
    };
    let lost = tokio::select! {
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        error = running.database_lost() => Some(error.into()),
        () = watching => None,
    };
    tracing::info!("stopping: accepting nothing more, finishing what is in flight");
    let stopping = running.stop(patience);
    tokio::select! {
        in_time = stopping => {
            if !in_time {
                tracing::warn!("some requests took longer than the {} s they get at shutdown", patience.as_secs());
            }
        }
        _ = interrupt.recv() => anyhow::bail!("interrupted a second time; the database was not stopped in order"),
    }
    // Whatever started this host sees that it failed, and may start it anew.
    lost.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// Tells a person, or the program that started this one, what runs where. The only place a password is ever printed.
fn announce(running: &Running, passwords: &BTreeMap<String, String>, quiet: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let scheme = if running.secure { "https" } else { "http" };
    writeln!(out, "{} is served at {scheme}://{}", running.app.name, running.address)?;
    writeln!(out, "control:  http://{}", running.control_address)?;
    for (variable, password) in passwords {
        writeln!(out, "{variable}: {password}   (generated; shown this once)")?;
    }
    if !quiet {
        writeln!(out, "routes:")?;
        for trigger in &running.app.routes {
            if let Route::Path(path) = &trigger.route {
                writeln!(out, "  {path:<40} {}", trigger.component)?;
            }
        }
        for fixed in &running.app.static_routes {
            writeln!(out, "  {:<40} {} {}", fixed.pattern, StaticResponse::NAME, fixed.response.status)?;
        }
        let compiled = match running.compiled {
            0 => "nothing to compile".to_owned(),
            count => format!("{count} components compiled"),
        };
        writeln!(out, "started in {} ms, {compiled}; Ctrl-C stops it", running.took.as_millis())?;
    }
    out.flush()
}
