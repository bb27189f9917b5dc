//! `plaza status` and `plaza history`.

use std::{io::IsTerminal, process::ExitCode, time::Duration};

use clap::Args;

use super::{
    operator::{self, ControlFlags, Operator},
    output::out,
    relayed,
    table::aligned,
};
use crate::{
    control::{ChannelStatus, DEGRADED, Status as Overview, UnservedStatus},
    rollout::Past,
};

/// How often the table is drawn anew.
const REFRESH: Duration = Duration::from_secs(1);

/// Show which versions answer, and how they do.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza status            once
  plaza status --watch    every second, until Ctrl-C")]
pub(super) struct Status {
    /// Show it again every second
    #[arg(short, long)]
    watch: bool,

    #[command(flatten)]
    control: ControlFlags,
}

/// Show what happened to a component's versions, the latest first.
#[derive(Debug, Args)]
pub(super) struct History {
    /// The component's id in the manifest
    component: String,

    #[command(flatten)]
    control: ControlFlags,
}

impl Status {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        operator::run(async {
            let operator = self.control.operator()?;
            loop {
                let table = table(&operator).await?;
                if self.watch && std::io::stdout().is_terminal() {
                    // To the upper left corner, and everything below gone.
                    out!("\x1b[H\x1b[J");
                }
                out!("{table}");
                if !self.watch {
                    return Ok(ExitCode::SUCCESS);
                }
                tokio::time::sleep(REFRESH).await;
            }
        })
    }
}

async fn table(operator: &Operator) -> anyhow::Result<String> {
    let status: Overview = operator.get("/status").await?;
    if let Some(relay) = &status.relay {
        return Ok(relayed::table(relay));
    }
    let mut rows = vec![
        [
            "component",
            "version",
            "role",
            "share",
            "answered",
            "bad",
            "failed",
            "p99",
            "instances",
            "in flight",
            "waiting",
        ]
        .map(str::to_owned),
    ];
    for component in &status.components {
        for one in &component.versions {
            rows.push([
                component.id.clone(),
                format!("{} {}", one.version, one.hash.get(..8).unwrap_or_default()),
                one.role.clone(),
                one.share.clone().unwrap_or_default(),
                one.answered.to_string(),
                one.bad.to_string(),
                one.failed.to_string(),
                format!("{:.1} ms", one.p99_ms),
                one.pool.instances.to_string(),
                one.pool.in_flight.to_string(),
                one.pool.waiting.to_string(),
            ]);
        }
    }
    let waiting = match status.events == DEGRADED {
        true => {
            "events wait: what carries them does not answer or refuses some of them, or a component does not take them; the log says which
"
        }
        false => "",
    };
    let unserved = status.components.iter().filter_map(|component| {
        let UnservedStatus { version, reason } = component.unserved.as_ref()?;
        Some(format!(
            "{} should be answered by {version}, which cannot be served here: {reason}
",
            component.id
        ))
    });
    let deaf = status.channels.iter().filter_map(|one| {
        let ChannelStatus { component, channel, away, .. } = one;
        Some(format!("{component} hears nothing of the Redis channel {channel}: {}\n", away.as_ref()?))
    });
    Ok(aligned(&rows) + waiting + &unserved.chain(deaf).collect::<String>())
}

impl History {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        operator::run(async {
            let path = format!("/components/{}/history", self.component);
            let history: Vec<Past> = self.control.operator()?.get(&path).await?;
            let mut rows = vec![["when", "version", "hash", "what", "detail"].map(str::to_owned)];
            rows.extend(history.into_iter().map(|past| {
                [
                    past.at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
                    if past.number == 0 { String::new() } else { format!("v{}", past.number) },
                    past.hash.map(|hash| hash.chars().take(8).collect()).unwrap_or_default(),
                    past.what.replace('_', " "),
                    past.detail.unwrap_or_default(),
                ]
            }));
            out!("{}", aligned(&rows));
            Ok(ExitCode::SUCCESS)
        })
    }
}
