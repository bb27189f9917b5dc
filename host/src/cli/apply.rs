//! `plaza apply`: a running host reads its manifest again.

use std::{io::IsTerminal, process::ExitCode};

use anyhow::bail;
use clap::Args;

use super::{
    operator::{self, ControlFlags, agreed},
    output::outln,
    steps::show_refused,
};
use crate::control::{Agreed, Proposal, Status};

/// Have a running host read its manifest again, and serve what it says.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza apply                                    print what would change, ask, and change it
  plaza apply --yes                              without asking
  plaza apply --control http://10.0.0.7:3001 --token-file token --yes
Routes, grants, variables, environment, files, limits, dependencies, topics, ticks, and components that come or go are served
without a restart; what is under way finishes as it began. The host reads the file that it was started with. Components keep the
versions that answer: another .wasm file of theirs is for `plaza deploy`, and so are new migrations in a folder already named.
`plaza up --watch` goes on watching the sources that were named at the start.
Of several hosts that share a database each has its own manifest: this changes one host, so run it for each.
It exits with 1 when the manifest is refused, or nobody agrees; then nothing has changed.")]
pub(super) struct Apply {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    control: ControlFlags,
}

impl Apply {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        operator::run(async {
            let operator = self.control.operator()?;
            let status: Status = operator.get("/status").await?;
            let post = |what: &str| operator.post_to(&["applications", &status.application, what]);
            let plan: Proposal = operator.ask(post("plan")?).await?;
            plan.changes.iter().for_each(|change| outln!("{change}"));
            if !plan.refused.is_empty() {
                show_refused(&plan.refused);
                return Ok(ExitCode::FAILURE);
            }
            if plan.changes.is_empty() {
                outln!("nothing changes");
                return Ok(ExitCode::SUCCESS);
            }
            if !self.yes && !std::io::stdin().is_terminal() {
                bail!("not applied: there is nobody to ask; say --yes");
            }
            if !self.yes && !agreed("Apply this?")? {
                bail!("not applied");
            }
            let request = post("apply")?.query(&Agreed { plan: Some(plan.digest) });
            Ok(if operator.change(request).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        })
    }
}
