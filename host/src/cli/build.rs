//! `plaza build`: runs the components' build commands.

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use clap::Args;

use super::{fetch::fetch, options::ManifestFlag, registry::TransportFlag};
use crate::{
    error::faults,
    manifest::{self, App},
    registry::Insecure,
};

/// Build the application's components, and fetch those that come from elsewhere.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza build                        build every component of ./spin.toml
  plaza build --component-id hello   build one")]
pub struct Build {
    #[command(flatten)]
    manifest: ManifestFlag,

    /// Build only this component; may be given more than once
    #[arg(short = 'c', long = "component-id", value_name = "ID")]
    components: Vec<String>,

    #[command(flatten)]
    transport: TransportFlag,
}

impl Build {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let source = self.manifest.source();
        let app = manifest::load(&source).map_err(faults)?;
        are_there(&app, &self.components)?;
        fetch(&source, &self.components, &Insecure::of(self.transport.insecure, None))?;
        build(&app, &self.components)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Runs the build commands of the named components, or of all.
///
/// # Errors
/// The first command that fails, or a name that is not in the manifest.
pub fn build(app: &App, only: &[String]) -> anyhow::Result<()> {
    are_there(app, only)?;
    let wanted = app.components.values().filter(|component| only.is_empty() || only.contains(&component.id));
    for component in wanted {
        let Some(build) = &component.build else { continue };
        for command in &build.commands {
            eprintln!("building {}: {command}", component.id);
            let status = Command::new("sh").args(["-c", command]).current_dir(app.base().join(&build.workdir)).status();
            let status = status.with_context(|| format!("cannot run `{command}` in {}", build.workdir.display()))?;
            if !status.success() {
                bail!("building {} failed: `{command}` ended with {status}", component.id);
            }
        }
    }
    Ok(())
}

fn are_there(app: &App, ids: &[String]) -> anyhow::Result<()> {
    match ids.iter().find(|id| !app.components.contains_key(*id)) {
        Some(unknown) => bail!("the manifest has no component `{unknown}`"),
        None => Ok(()),
    }
}
