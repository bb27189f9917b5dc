//! `plaza registry login`.

use std::{
    io::{IsTerminal, Read},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;

use super::{TransportFlag, run};
use crate::{cli::output::outln, registry::log_in};

/// Keep a name and a password for a registry, after it has let them in.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza registry login ghcr.io -u somebody --password-stdin < token
  plaza registry login localhost:5000 -u somebody -p secret --insecure
They are kept in $XDG_CONFIG_HOME/plaza/registry.json, or the file that REGISTRY_AUTH_FILE names, as Docker keeps them and closed to
other users. What `spin registry login` and `docker login` have kept is found as well.")]
pub(super) struct Login {
    /// The name
    #[arg(short, long, value_name = "NAME")]
    username: String,

    /// The password, which others may see among this machine's processes
    #[arg(short, long, value_name = "PASSWORD", conflicts_with = "password_stdin")]
    password: Option<String>,

    /// Read the password from the standard input
    #[arg(long)]
    password_stdin: bool,

    #[command(flatten)]
    transport: TransportFlag,

    /// The registry, such as ghcr.io
    registry: String,
}

/// The longest password, or token, that is read.
const PASSWORD_BYTES: u64 = 64 * 1024;

impl Login {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let password = self.password()?;
        let logging_in = log_in(&self.registry, self.transport.insecure, &self.username, &password);
        let file = run(async { Ok(logging_in.await?) })?;
        outln!("{} is logged in at {}; kept in {}", self.username, self.registry, file.display());
        Ok(ExitCode::SUCCESS)
    }

    fn password(&self) -> anyhow::Result<String> {
        if let Some(password) = &self.password {
            return Ok(password.clone());
        }
        let mut input = std::io::stdin();
        if !self.password_stdin && input.is_terminal() {
            // What is typed would be seen.
            bail!("there is no password: say --password-stdin, and hand it over as the standard input");
        }
        let mut password = String::new();
        input.by_ref().take(PASSWORD_BYTES).read_to_string(&mut password).context("cannot read the password")?;
        Ok(password.trim_end_matches(['\r', '\n']).to_owned())
    }
}
