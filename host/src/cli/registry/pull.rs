//! `plaza registry pull`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::{TransportFlag, run, waits};
use crate::{
    app,
    cli::output::outln,
    registry::{Credentials, Reference, pull},
};

/// Get an application from a registry that `plaza registry push` or `spin registry push` has put there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza registry pull ghcr.io/somebody/app:1.0
  plaza registry pull --insecure localhost:5000/app:1.0   a registry without TLS
It prints the folder, with a spin.toml as any other; `plaza up --from` does the same and serves it. What was pulled once is not pulled
again, as long as the tag means the same.")]
pub(super) struct Pull {
    #[command(flatten)]
    transport: TransportFlag,

    /// The folder for all that is kept, as with `plaza up`
    #[arg(long, value_name = "FOLDER", default_value = ".plaza")]
    state_dir: PathBuf,

    /// Where from: registry/repository:tag, or registry/repository@sha256:…
    reference: String,
}

impl Pull {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let reference: Reference = self.reference.parse()?;
        let state_dir = app::state_dir(&self.state_dir)?;
        let credentials = Credentials::of_this_user();
        let pulling = pull(&reference, self.transport.insecure, &credentials, &state_dir, waits);
        let pulled = run(async { Ok(pulling.await?) })?;
        outln!("{reference} is in {}", pulled.folder.display());
        outln!("digest: {}", pulled.digest);
        Ok(ExitCode::SUCCESS)
    }
}
