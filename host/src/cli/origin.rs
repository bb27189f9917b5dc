//! Where `plaza up` gets its application: a manifest on this machine, or a registry.

use std::path::{Path, PathBuf};

use clap::Args;

use super::registry::{TransportFlag, waits};
use crate::{
    app,
    registry::{Credentials, Hold, Place, Reference, hold, pull},
};

/// Those of Spin.
#[derive(Debug, Args)]
pub(super) struct OriginFlags {
    /// An application in a registry: registry/repository:tag. `--from` takes it, too, where there is no such file
    #[arg(long, value_name = "REFERENCE", conflicts_with = "manifest")]
    from_registry: Option<String>,

    #[command(flatten)]
    pub(super) transport: TransportFlag,
}

impl OriginFlags {
    /// The artifact that is meant, if `manifest`, the value of `--from`, is not a file.
    ///
    /// # Errors
    /// What names no artifact.
    pub(super) fn artifact(&self, manifest: &Path) -> anyhow::Result<Option<Reference>> {
        let place = match &self.from_registry {
            Some(reference) => Place::Registry(reference.parse()?),
            None => Place::of(manifest),
        };
        match place {
            Place::Registry(reference) => Ok(Some(reference)),
            Place::File(_) => Ok(None),
        }
    }

    /// Gets the artifact; returns the folder in which its manifest is, and what keeps that from being pruned.
    ///
    /// # Errors
    /// What the registry says.
    pub(super) async fn fetch(&self, reference: &Reference, state_dir: &Path) -> anyhow::Result<(PathBuf, Hold)> {
        let state_dir = app::state_dir(state_dir)?;
        let credentials = Credentials::of_this_user();
        loop {
            let pulled = pull(reference, self.transport.insecure, &credentials, &state_dir, waits).await?;
            // Somebody may just have pruned it.
            if let Some(held) = hold(&pulled.folder)? {
                tracing::info!(%reference, digest = pulled.digest, "got the application from its registry");
                return Ok((pulled.folder, held));
            }
        }
    }
}
