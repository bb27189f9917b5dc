//! `plaza relay`: what components do unasked, for an application that Spin serves.

use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    kafka::KafkaFlags,
    options::{ManifestFlag, with_password_in},
    variables,
};
use crate::{
    app::relay::{self, Options, Relaying},
    limits::HostLimits,
    over_http::Address,
    server::Listen,
    telemetry,
};

/// Carry the events and keep the time of an application that Spin serves, until Ctrl-C.
#[derive(Debug, Args)]
#[command(
    after_help = "Spin relays no outboxes and calls no subscribers and no ticks. A relay does, as the manifest says: it POSTs each event to
<TARGET>/internal/<component>/events and each tick to <TARGET>/internal/<component>/tick, with the application's token. Several may run side by
side: one at a time does each thing. Hosts of `plaza up` need none.
Examples:
  plaza migrate --database-url postgres://admin:secret@db.example.com/postgres
                                               first, and again before each new version
  plaza relay --database-url postgres://admin:secret@db.example.com/postgres
                                               beside `spin up` on this machine
  plaza relay --target https://app.example.com --variable service_token=@token.txt
  plaza relay --kafka kafka-1:9092,kafka-2:9092
                                               events go through Kafka
  plaza status                                 what waits, and who is not reached
  plaza events list                            what was rejected"
)]
pub struct Relay {
    #[command(flatten)]
    manifest: ManifestFlag,

    /// Where the application is served: http:// or https://, and a path where all of it lies below one
    #[arg(
        long,
        value_name = "URL",
        env = "PLAZA_TARGET",
        default_value = "http://127.0.0.1:3000",
        hide_env_values = true
    )]
    target: String,

    /// The certificate authorities to trust there, in a PEM file, in place of those that browsers trust
    #[arg(long, value_name = "FILE", env = "PLAZA_TARGET_CA")]
    target_ca: Option<PathBuf>,

    /// The variable of the manifest that holds the token by which components know who posts to them
    #[arg(long, value_name = "NAME", env = "PLAZA_TOKEN_VARIABLE", default_value = "service_token")]
    token_variable: String,

    /// The PostgreSQL server with the components' databases; its user must be allowed to create databases and roles, as for
    /// `plaza migrate`. Of libpq's variables only PGSSLROOTCERT counts
    #[arg(long, value_name = "URL", env = "PLAZA_DATABASE_URL", hide_env_values = true)]
    database_url: String,

    /// A file that holds the password for --database-url and nothing else
    #[arg(long, value_name = "FILE", env = "PLAZA_DATABASE_PASSWORD_FILE")]
    database_password_file: Option<PathBuf>,

    /// Set a variable of the application, as for `plaza up`. Only the token needs a value, and one that is generated has it; a
    /// component whose <database>_url is set has its outbox there
    // Taken apart later: what an argument's own parser refuses is repeated, and this may be a secret.
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    variables: Vec<String>,

    /// Where the admin port listens, with /health/live and /health/ready for anybody; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3001")]
    control: SocketAddr,

    /// The folder for the control token
    #[arg(long, value_name = "FOLDER", default_value = ".plaza")]
    state_dir: PathBuf,

    /// Print the addresses only, and log warnings and errors only
    #[arg(short, long)]
    quiet: bool,

    // Last, for what follows it would stand under its heading.
    #[command(flatten)]
    kafka: KafkaFlags,
}

impl Relay {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let _log = telemetry::init(self.quiet)?;
        let quiet = self.quiet;
        let options = self.options()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let done = runtime.block_on(run(options, quiet));
        runtime.shutdown_background();
        done
    }

    fn options(self) -> anyhow::Result<Options> {
        let manifest = self.manifest.source();
        Ok(Options {
            environment: variables::around(manifest.file.parent().unwrap_or(Path::new("")), &[])?,
            manifest,
            // Taken apart here: what an argument's own parser refuses is repeated, and there may be a password in it.
            target: self.target.parse::<Address>().context("--target is no address of an application")?,
            authorities: self.target_ca,
            token_variable: self.token_variable,
            control: Listen { address: self.control, or_behind: false },
            state_dir: self.state_dir,
            database_url: with_password_in(&self.database_url, self.database_password_file.as_deref())?,
            kafka: self.kafka.settings()?,
            variables: variables::given(&self.variables)?,
        })
    }
}

async fn run(options: Options, quiet: bool) -> anyhow::Result<ExitCode> {
    // Before anything is started, so that a signal during the start is not lost.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let starting = relay::start(options);
    let relaying = tokio::select! {
        relaying = starting => relaying?,
        _ = interrupt.recv() => anyhow::bail!("interrupted while starting"),
        _ = terminate.recv() => anyhow::bail!("terminated while starting"),
    };
    announce(&relaying, quiet).context("cannot print the addresses")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping: taking up nothing more, finishing what is in flight");
    let stopping = relaying.stop(HostLimits::default().shutdown_timeout);
    tokio::select! {
        () = stopping => Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => anyhow::bail!("interrupted a second time; what was in flight will be asked for again"),
    }
}

/// Tells a person, or the program that started this one, what goes where.
fn announce(relaying: &Relaying, quiet: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} is relayed to {}", relaying.app.name, relaying.target.address())?;
    writeln!(out, "control:  http://{}", relaying.control_address)?;
    if !quiet {
        for component in relaying.app.components.values() {
            let work = &component.plaza;
            let outbox = work.outbox.iter().map(|table| format!("publishes from {table}"));
            let topics = (!work.subscribe.is_empty()).then(|| format!("hears of {}", work.subscribe.join(", ")));
            let tick = work.tick_seconds.map(|seconds| format!("ticks every {seconds} s"));
            let does: Vec<String> = outbox.chain(topics).chain(tick).collect();
            if !does.is_empty() {
                writeln!(out, "  {:<24} {}", component.id, does.join("; "))?;
            }
        }
        writeln!(out, "started in {} ms; Ctrl-C stops it", relaying.took.as_millis())?;
    }
    out.flush()
}
