//! `plaza registry prune`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::waits;
use crate::{app, cli::output::outln, registry::prune};

/// Remove applications that were pulled, but for the one pulled last out of each repository.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza registry prune
  plaza registry prune sha256:…      this one stays as well
What stays is, of each repository, what was pulled last, by `plaza registry pull` or a start with `plaza up --from`, and what a host of this
machine serves. Everything else that was pulled is removed, with the files that belong to nothing else, and what failed pulls have left.")]
pub(super) struct Prune {
    /// The folder for all that is kept, as with `plaza up`
    #[arg(long, value_name = "FOLDER", default_value = ".plaza")]
    state_dir: PathBuf,

    /// Digests of applications that stay, too
    #[arg(value_name = "DIGEST")]
    keep: Vec<String>,
}

impl Prune {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let pruned = prune(&app::state_dir(&self.state_dir)?, &self.keep, waits)?;
        outln!("removed {} applications, and {} files of {} bytes", pruned.applications, pruned.blobs, pruned.bytes);
        if pruned.served > 0 {
            outln!("{} more stay for as long as they are served", pruned.served);
        }
        Ok(ExitCode::SUCCESS)
    }
}
