//! `plaza build`: runs the components' build commands.

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use clap::Args;

use super::options::ManifestFlag;
use crate::{
    error::faults,
    manifest::{self, App},
};

/// Build the application's components.
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
}

impl Build {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let app = manifest::load(&self.manifest.source()).map_err(faults)?;
        build(&app, &self.components)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Runs the build commands of the named components, or of all.
///
/// # Errors
/// The first command that fails, or a name that is not in the manifest.
pub fn build(app: &App, only: &[String]) -> anyhow::Result<()> {
    if let Some(unknown) = only.iter().find(|id| !app.components.contains_key(*id)) {
        bail!("the manifest has no component `{unknown}`");
    }
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
