//! Commands: one small file each.

mod build;
pub mod check;
mod migrate;
mod options;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A host for applications of WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "plaza", version, about, propagate_version = true)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Serve an application until Ctrl-C
    Up(up::Up),
    /// Build the application's components
    Build(build::Build),
    /// Look for faults in the manifest and its components, and print them all
    Check(check::Check),
    /// Create the components' databases and bring them up to date, without serving
    Migrate(migrate::Migrate),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What went wrong, with what to do about it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::Up(up) => up.run(),
            Action::Build(build) => build.run(),
            Action::Check(check) => check.run(),
            Action::Migrate(migrate) => migrate.run(),
        }
    }
}
