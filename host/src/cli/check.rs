//! `plaza check`: every fault of a manifest and its components, in one go.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use clap::Args;
use wasmtime::{Config, Engine};

use super::{
    fetch,
    options::{ManifestFlag, RuntimeConfigFlag},
    registry::TransportFlag,
};
pub use crate::app::{check::check, host_serves};
use crate::{manifest::Fault, registry::Insecure};

/// Look for faults in the manifest and its components, and print them all.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza check                    look at ./spin.toml
  plaza check -f app/spin.toml  look at another
It exits with 1 when there are faults.")]
pub struct Check {
    #[command(flatten)]
    manifest: ManifestFlag,

    #[command(flatten)]
    runtime_config: RuntimeConfigFlag,

    #[command(flatten)]
    transport: TransportFlag,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let manifest = self.manifest.source();
        let missing = fetch::faults(&manifest, &Insecure::of(self.transport.insecure, None))?;
        let mut config = Config::new();
        config.wasm_component_model(true).wasm_component_model_async(true);
        let mut faults = match self.runtime_config.read() {
            Ok(runtime_config) => check(&manifest, &runtime_config, &Engine::new(&config)?, &host_serves),
            Err(faults) => faults,
        };
        faults.retain(|fault| !missing.iter().any(|missing| missing.is_behind(fault)));
        faults.extend(missing.into_iter().map(|missing| missing.fault));
        faults.sort_by_key(|fault| fault.line);
        report(&manifest.file, &faults, &mut io::stdout().lock())?;
        Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Prints faults and a line that sums them up.
pub fn report(manifest: &Path, faults: &[Fault], out: &mut impl Write) -> io::Result<()> {
    for fault in faults {
        writeln!(out, "{fault}")?;
    }
    match faults.len() {
        0 => writeln!(out, "{}: no faults", manifest.display()),
        1 => writeln!(out, "1 fault"),
        count => writeln!(out, "{count} faults"),
    }
}
