//! `plaza migrate`: creates and migrates the components' databases without serving.

use std::process::ExitCode;

use clap::Args;

use super::{
    options::{ManifestFlag, ServerFlags},
    output::outln,
};
use crate::{app, database::DatabaseSettings, telemetry};

/// Create the components' databases and bring them up to date, without serving.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza migrate                                the embedded server of ./.plaza
  plaza migrate --database-url postgres://admin:secret@db.example.com/postgres")]
pub struct Migrate {
    #[command(flatten)]
    manifest: ManifestFlag,

    #[command(flatten)]
    data: ServerFlags,
}

impl Migrate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let _log = telemetry::init(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let manifest = self.manifest.source();
        let external_url = self.data.database_url()?;
        let settings = DatabaseSettings {
            state_dir: self.data.state_dir,
            postgres_dir: self.data.postgres_dir,
            external_url,
            component_connections: 0,
        };
        let migrating = app::migrate(&manifest, settings);
        for (component, applied) in runtime.block_on(migrating)? {
            match applied.as_slice() {
                [] => outln!("{component}: up to date"),
                names => outln!("{component}: applied {}", names.join(", ")),
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
