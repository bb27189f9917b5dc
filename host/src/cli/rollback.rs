//! `plaza rollback` and `plaza promote`.

use std::process::ExitCode;

use clap::Args;

use super::operator::{self, ControlFlags};
use crate::control::upload::Back;

/// Let an earlier version answer again, or take back the one on trial.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza rollback hello            the version before, or the end of a trial
  plaza rollback hello --to v3    a version of `plaza history hello`")]
pub(super) struct Rollback {
    /// The component's id in the manifest
    component: String,

    /// The version to go back to
    #[arg(long, value_name = "VERSION", value_parser = version)]
    to: Option<u32>,

    #[command(flatten)]
    control: ControlFlags,
}

/// Let the version on trial answer everything.
#[derive(Debug, Args)]
pub(super) struct Promote {
    /// The component's id in the manifest
    component: String,

    #[command(flatten)]
    control: ControlFlags,
}

impl Rollback {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { component, to, control } = self;
        operator::run(async {
            let operator = control.operator()?;
            let request = operator.post(&format!("/components/{component}/rollback")).query(&Back { to });
            operator.change(request).await.map(code)
        })
    }
}

impl Promote {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { component, control } = self;
        operator::run(async {
            let operator = control.operator()?;
            operator.change(operator.post(&format!("/components/{component}/promote"))).await.map(code)
        })
    }
}

fn code(done: bool) -> ExitCode {
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `v3` or `3`.
fn version(text: &str) -> Result<u32, String> {
    text.trim_start_matches('v').parse().map_err(|_| "write a version as `v3`".to_owned())
}
