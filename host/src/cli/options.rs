//! Flags that several commands have. Their names are Spin's where Spin has the flag.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context;
use clap::Args;

/// Which application.
#[derive(Debug, Args)]
pub struct ManifestFlag {
    /// The manifest, or the folder it is in
    #[arg(short = 'f', long = "from", alias = "file", value_name = "MANIFEST", default_value = "spin.toml")]
    manifest: PathBuf,
}

impl ManifestFlag {
    /// The manifest's path.
    pub fn path(&self) -> PathBuf {
        if self.manifest.is_dir() { self.manifest.join("spin.toml") } else { self.manifest.clone() }
    }
}

/// Where an application's data is, and what its variables are.
#[derive(Debug, Args)]
pub struct DataFlags {
    /// The folder for the embedded database, the compile cache and the control token
    #[arg(long, value_name = "FOLDER", default_value = ".plaza")]
    pub state_dir: PathBuf,

    /// A PostgreSQL server to use in place of the embedded one; its user must be allowed to create databases and roles. Of libpq's
    /// variables only PGSSLROOTCERT counts: whom connections with sslmode=verify-full, verify-ca or require trust
    #[arg(long, value_name = "URL", env = "PLAZA_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Where PostgreSQL's programs for the embedded database are; they are installed there if it is empty [default: those on this
    /// machine; where it has none they are installed into the state folder]
    #[arg(long, value_name = "FOLDER", env = "PLAZA_POSTGRES_DIR")]
    pub postgres_dir: Option<PathBuf>,

    /// Set a variable of the application; goes before SPIN_VARIABLE_<NAME>
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = name_and_value)]
    variables: Vec<(String, String)>,
}

impl DataFlags {
    /// The variables that were set, by name.
    pub fn variables(&self) -> BTreeMap<String, String> {
        self.variables.iter().cloned().collect()
    }
}

fn name_and_value(text: &str) -> anyhow::Result<(String, String)> {
    // The text may be a secret, so the message does not repeat it.
    let (name, value) = text.split_once('=').context("write it as name=value")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}
