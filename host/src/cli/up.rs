//! `plaza up`: serves an application.

use std::{io::Write, net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    build,
    options::{DataFlags, ManifestFlag},
};
use crate::{
    app::{self, Options, Running},
    cores::ThreadModel,
    error::faults,
    limits::HostLimits,
    manifest::{self, app::Route},
    telemetry,
};

/// Serve an application until Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza up                                     serve ./spin.toml on http://127.0.0.1:3000
  plaza up --build                             build the components first
  plaza up -f app/spin.toml --listen 0.0.0.0:8080
  plaza up --database-url postgres://admin:secret@db.example.com/postgres
  plaza up --variable log_level=debug          set a variable of the application")]
pub struct Up {
    #[command(flatten)]
    manifest: ManifestFlag,

    /// Build the components first
    #[arg(long)]
    build: bool,

    /// Where the application listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", env = "SPIN_HTTP_LISTEN_ADDR", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,

    /// Where the admin port listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3001")]
    control: SocketAddr,

    #[command(flatten)]
    data: DataFlags,

    /// Print the addresses only, and log warnings and errors only
    #[arg(short, long)]
    quiet: bool,

    /// Threads that serve requests [default: one for each core]
    #[arg(long, value_name = "COUNT")]
    cores: Option<usize>,

    /// Open connections; further ones wait
    #[arg(long, value_name = "COUNT", default_value_t = HostLimits::default().connections)]
    connections: usize,

    /// Instances of all components together
    #[arg(long, value_name = "COUNT", default_value_t = HostLimits::default().total_instances)]
    instances: u32,

    /// Bytes of a request's head
    #[arg(long, value_name = "BYTES", default_value_t = HostLimits::default().header_bytes)]
    header_bytes: usize,

    /// Seconds that a client may take to send a request's head
    #[arg(long, value_name = "SECONDS", default_value_t = HostLimits::default().header_timeout.as_secs())]
    header_timeout: u64,

    /// Seconds that a connection may stand idle, and a client may leave its answer unread
    #[arg(long, value_name = "SECONDS", default_value_t = HostLimits::default().idle_timeout.as_secs())]
    idle_timeout: u64,

    /// Seconds that requests in flight get to finish at shutdown
    #[arg(long, value_name = "SECONDS", default_value_t = HostLimits::default().shutdown_timeout.as_secs())]
    shutdown_timeout: u64,

    /// How requests are spread over cores
    #[arg(long, value_enum, default_value_t, hide = true)]
    thread_model: ThreadModel,
}

impl Up {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let _log = telemetry::init(self.quiet)?;
        if self.build {
            let app = manifest::load(&self.manifest.path()).map_err(faults)?;
            build::build(&app, &[])?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let quiet = self.quiet;
        let options = self.options();
        runtime.block_on(serve(options, quiet))
    }

    fn options(self) -> Options {
        let defaults = HostLimits::default();
        let limits = HostLimits {
            cores: self.cores.unwrap_or(defaults.cores),
            connections: self.connections,
            total_instances: self.instances,
            header_bytes: self.header_bytes,
            header_timeout: Duration::from_secs(self.header_timeout),
            idle_timeout: Duration::from_secs(self.idle_timeout),
            shutdown_timeout: Duration::from_secs(self.shutdown_timeout),
        };
        Options {
            manifest: self.manifest.path(),
            listen: self.listen,
            control: self.control,
            variables: self.data.variables(),
            state_dir: self.data.state_dir,
            database_url: self.data.database_url,
            postgres_dir: self.data.postgres_dir,
            thread_model: self.thread_model,
            limits,
        }
    }
}

async fn serve(options: Options, quiet: bool) -> anyhow::Result<ExitCode> {
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
    announce(&running, quiet).context("cannot print the addresses")?;
    let lost = tokio::select! {
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        error = running.database_lost() => Some(error),
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
    lost.map_or(Ok(ExitCode::SUCCESS), |error| Err(error.into()))
}

/// Tells a person, or the program that started this one, what runs where. The only place a password is ever printed.
fn announce(running: &Running, quiet: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} is served at http://{}", running.app.name, running.address)?;
    writeln!(out, "control:  http://{}", running.control_address)?;
    for (variable, password) in &running.fresh_passwords {
        writeln!(out, "{variable}: {password}   (generated; shown this once)")?;
    }
    if !quiet {
        writeln!(out, "routes:")?;
        for trigger in &running.app.routes {
            if let Route::Path(path) = &trigger.route {
                writeln!(out, "  {path:<40} {}", trigger.component)?;
            }
        }
        let compiled = match running.compiled {
            0 => "nothing to compile".to_owned(),
            count => format!("{count} components compiled"),
        };
        writeln!(out, "started in {} ms, {compiled}; Ctrl-C stops it", running.took.as_millis())?;
    }
    out.flush()
}
