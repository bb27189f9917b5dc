//! `plaza registry push`.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::{TransportFlag, run};
use crate::{
    cli::{build, fetch::fetch, options::ManifestFlag, output::outln},
    error::faults,
    manifest,
    registry::{Credentials, Insecure, Reference, push},
};

/// Put the application into a registry, in Spin's format: Spin serves it as far as it can, Plaza wholly.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza registry push ghcr.io/somebody/app:1.0           ./spin.toml and everything that it names
  plaza registry push --build -f app ghcr.io/somebody/app:1.0
  plaza registry push --insecure localhost:5000/app:1.0  a registry without TLS
Components, files and migrations go with it; values of variables and what `generate` made do not. It prints the digest, by which
`plaza up --from ghcr.io/somebody/app@sha256:…` gets this and nothing else.")]
pub(super) struct Push {
    #[command(flatten)]
    manifest: ManifestFlag,

    /// Build the components first
    #[arg(long)]
    build: bool,

    #[command(flatten)]
    transport: TransportFlag,

    /// Where to: registry/repository:tag
    reference: String,
}

impl Push {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let reference: Reference = self.reference.parse()?;
        let source = self.manifest.source();
        if self.build {
            build::build(&manifest::load(&source).map_err(faults)?, &[])?;
        }
        fetch(&source, &[], &Insecure::of(self.transport.insecure, Some(&reference)))?;
        let reading = manifest::read(&source);
        let missing = reading.missing_files();
        let app = match reading.into_app() {
            Ok(app) if missing.is_empty() => app,
            Ok(_) => return Err(faults(missing)),
            Err(found) => return Err(faults(found.into_iter().chain(missing).collect())),
        };
        let text = std::fs::read_to_string(&source.file);
        let text = text.with_context(|| format!("cannot read {}", source.file.display()))?;
        let document = text.parse::<toml::Table>().with_context(|| format!("{} is no TOML", source.file.display()))?;
        let scratch = tempfile::tempdir().context("cannot make a folder for temporary files")?;
        let credentials = Credentials::of_this_user();
        let pushing = push(&app, &document, &reference, self.transport.insecure, &credentials, scratch.path());
        let pushed = run(async { Ok(pushing.await?) })?;
        outln!("{} is at {reference}: {} layers, {} of them new", app.name, pushed.layers, pushed.sent);
        outln!("digest: {}", pushed.digest);
        Ok(ExitCode::SUCCESS)
    }
}
