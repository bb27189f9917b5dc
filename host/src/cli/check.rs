//! `plaza check`: every fault of a manifest and its components, in one go.

mod components;
mod served;

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use clap::Args;
use wasmtime::{Config, Engine};

pub use self::served::host_serves;
use super::options::ManifestFlag;
use crate::manifest::{self, Fault};

/// Look for faults in the manifest and its components, and print them all.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza check                    look at ./spin.toml
  plaza check -f app/spin.toml  look at another
It exits with 1 when there are faults.")]
pub struct Check {
    #[command(flatten)]
    manifest: ManifestFlag,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let manifest = self.manifest.path();
        let mut config = Config::new();
        config.wasm_component_model(true).wasm_component_model_async(true);
        let faults = check(&manifest, &Engine::new(&config)?, &host_serves);
        report(&manifest, &faults, &mut io::stdout().lock())?;
        Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Reads a manifest and the components it names, and returns what is wrong with them, in the order of the manifest's lines.
///
/// `served` says whether the host provides an import (`wasi:clocks/monotonic-clock@0.3.0`); [`host_serves`] is the usual
/// answer. The engine must have the component model's async features on.
pub fn check(manifest: &Path, engine: &Engine, served: &dyn Fn(&str) -> bool) -> Vec<Fault> {
    let reading = manifest::read(manifest);
    let mut faults = reading.missing_files();
    faults.extend(components::faults(&reading, engine, served));
    faults.extend(reading.faults);
    faults.sort_by_key(|fault| fault.line);
    faults
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
