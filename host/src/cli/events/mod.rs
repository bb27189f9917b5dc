//! `plaza events`: what became of events.

mod list;
mod replay;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Look at events that a component rejected, and give them to it once more.
#[derive(Debug, Args)]
#[command(after_help = "An event that a component rejects is kept, with its reason, among the dead letters.
Examples:
  plaza events list --component lamps      what `lamps` rejected, the newest first
  plaza events show 17                     all of one, by its name in the list
  plaza events replay 17                   after a deploy that mends `lamps`: once more
  plaza events replay --component lamps --all")]
pub(super) struct Events {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List dead letters, the newest first
    List(list::List),
    /// Show all of a dead letter
    Show(show::Show),
    /// Give dead letters to their component once more
    Replay(replay::Replay),
}

impl Events {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self.action {
            Action::List(list) => list.run(),
            Action::Show(show) => show.run(),
            Action::Replay(replay) => replay.run(),
        }
    }
}
