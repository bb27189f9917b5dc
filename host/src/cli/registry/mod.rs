//! `plaza registry`: applications in an OCI registry.

mod login;
mod prune;
mod pull;
mod push;

use std::{path::Path, process::ExitCode};

use clap::{Args, Subcommand};

/// Put applications into an OCI registry, and get them from there.
#[derive(Debug, Args)]
pub(super) struct Registry {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Put the application into a registry
    Push(push::Push),
    /// Get an application from a registry
    Pull(pull::Pull),
    /// Remove what was pulled and is needed no more
    Prune(prune::Prune),
    /// Keep a name and a password for a registry
    Login(login::Login),
}

/// How registries are spoken to.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct TransportFlag {
    /// Speak plain HTTP with the registry
    #[arg(short = 'k', long)]
    pub(super) insecure: bool,
}

impl Registry {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::Push(push) => push.run(),
            Action::Pull(pull) => pull.run(),
            Action::Prune(prune) => prune.run(),
            Action::Login(login) => login.run(),
        }
    }
}

/// Tells whoever has to wait.
pub(super) fn waits(folder: &Path) {
    eprintln!("another `plaza` is pulling into {}; waiting", folder.display());
}

/// Runs one of them.
fn run<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(work)
}
