//! Flags of `spin up` that are not served, and what is to be used in their place.

use anyhow::ensure;
use clap::Args;

/// These flags.
#[derive(Debug, Args)]
pub(super) struct Refused {
    #[arg(long, short = 'L', hide = true)]
    log_dir: Option<String>,
    #[arg(long, hide = true)]
    truncate_logs: bool,
    #[arg(long, hide = true)]
    follow: Vec<String>,
    #[arg(long, hide = true)]
    cache: Option<String>,
    #[arg(long, hide = true)]
    disable_cache: bool,
    #[arg(long, hide = true)]
    direct_mounts: bool,
    #[arg(long, hide = true)]
    allow_transient_write: bool,
    #[arg(long, hide = true)]
    idle_instance_timeout: Option<String>,
    #[arg(long, hide = true)]
    format: Option<String>,
}

impl Refused {
    /// None of them is there.
    pub(super) fn none(&self) -> anyhow::Result<()> {
        let log = "take it out: what components print stands in the log, under their names";
        let disk = "take it out: what is compiled is kept in the folder of --state-dir, and nothing else is";
        let given = [
            ("--log-dir", self.log_dir.is_some(), log),
            ("--truncate-logs", self.truncate_logs, log),
            ("--follow", !self.follow.is_empty(), log),
            ("--cache", self.cache.is_some(), disk),
            ("--disable-cache", self.disable_cache, disk),
            ("--direct-mounts", self.direct_mounts, "take it out: `plaza apply` takes changed files over"),
            (
                "--allow-transient-write",
                self.allow_transient_write,
                "take it out: the files of a component are read-only",
            ),
            (
                "--idle-instance-timeout",
                self.idle_instance_timeout.is_some(),
                "take it out: what stands idle ends when another needs its room",
            ),
            ("--format", self.format.is_some(), "take it out: the first http:// address printed is the application's"),
        ];
        let faults: Vec<String> = given
            .into_iter()
            .filter(|(_, is_there, _)| *is_there)
            .map(|(flag, _, advice)| format!("{flag} of `spin up` is not served; {advice}"))
            .collect();
        ensure!(faults.is_empty(), faults.join("\n"));
        Ok(())
    }
}
