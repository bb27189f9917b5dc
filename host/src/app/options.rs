//! What a host is started with.

use std::{collections::BTreeMap, path::PathBuf};

use super::Initial;
use crate::{
    cores::ThreadModel,
    events::KafkaSettings,
    limits::HostLimits,
    manifest::{Source, runtime_config::RuntimeConfig},
    server::{Listen, TrustedProxies},
    tls::Identity,
};

/// What to run, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The manifest and its profile.
    pub manifest: Source,
    /// Where the application listens.
    pub listen: Listen,
    /// What it shows of itself there, over TLS; without it, it speaks plain HTTP.
    pub tls: Option<Identity>,
    /// The proxies in front of it.
    pub trusted_proxies: TrustedProxies,
    /// Where the admin port listens.
    pub control: Listen,
    /// The folder for the embedded server, the compile cache and the control token.
    pub state_dir: PathBuf,
    /// A database server outside.
    pub database_url: Option<String>,
    /// Where the embedded server's programs are, or are to be installed.
    pub postgres_dir: Option<PathBuf>,
    /// Kafka, where it is to carry the events; else they stay in this process.
    pub kafka: Option<KafkaSettings>,
    /// Where stores and databases are that the manifest only names.
    pub runtime_config: RuntimeConfig,
    /// What stores and databases are given at the start.
    pub initial: Initial,
    /// `--variable`, by the variable's name.
    pub variables: BTreeMap<String, String>,
    /// What the runtime config's providers set, and `SPIN_VARIABLE_<NAME>`, likewise.
    pub environment: BTreeMap<String, String>,
    /// Whether the manifest's files are served whatever was deployed.
    pub files_only: bool,
    /// How threads are used.
    pub thread_model: ThreadModel,
    /// Bounds of the process.
    pub limits: HostLimits,
}
