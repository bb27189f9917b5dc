//! Commands: one small file each.

mod apply;
mod build;
pub mod check;
mod compile;
mod deploy;
mod events;
mod fetch;
mod kafka;
mod migrate;
mod operator;
mod options;
mod origin;
mod output;
mod registry;
mod relay;
mod relayed;
mod rollback;
mod single;
mod spin;
mod status;
mod steps;
mod table;
mod text;
mod up;
mod variables;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::engine::aside;

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
    Up(Box<up::Up>),
    /// Build the application's components
    Build(build::Build),
    /// Look for faults in the manifest and its components, and print them all
    Check(check::Check),
    /// Create the components' databases and bring them up to date, without serving
    Migrate(migrate::Migrate),
    /// Carry the events and keep the time of an application that Spin serves, until Ctrl-C
    Relay(Box<relay::Relay>),
    /// Have a running host read its manifest again, without a restart
    Apply(apply::Apply),
    /// Replace a component of a running host, and lose nothing
    Deploy(deploy::Deploy),
    /// Let the version on trial answer everything
    Promote(rollback::Promote),
    /// Let an earlier version answer again
    Rollback(rollback::Rollback),
    /// Show which versions answer, and how they do
    Status(status::Status),
    /// Show what happened to a component's versions
    History(status::History),
    /// Look at events that a component rejected, and give them to it once more
    Events(events::Events),
    /// Put applications into an OCI registry, and get them from there
    Registry(registry::Registry),
    /// Compile a component for a host that serves
    #[command(name = aside::COMMAND, hide = true)]
    Compile(compile::Compile),
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
            Action::Relay(relay) => relay.run(),
            Action::Apply(apply) => apply.run(),
            Action::Deploy(deploy) => deploy.run(),
            Action::Promote(promote) => promote.run(),
            Action::Rollback(rollback) => rollback.run(),
            Action::Status(status) => status.run(),
            Action::History(history) => history.run(),
            Action::Events(events) => events.run(),
            Action::Registry(registry) => registry.run(),
            Action::Compile(compile) => Ok(compile.run()),
        }
    }
}
