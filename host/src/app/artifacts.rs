//! The components' files, and what of them is to be served.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, anyhow};
use tokio::task::JoinSet;

use super::services::{Furnished, Services};
use crate::{
    compose::{self, compose},
    engine::{Artifact, Engine},
    manifest::app::Component,
    rollout::{FileArtifact, Ledger, Standing, Stored},
    service::{Trial, Versions},
};

/// A component's file as it was loaded.
pub struct Loaded {
    /// What the engine runs.
    pub artifact: Artifact,
    /// What the ledger keeps.
    pub file: FileArtifact,
}

/// Loads the components' files, in parallel.
///
/// # Errors
/// The first component that cannot be loaded.
pub async fn load(
    components: impl Iterator<Item = &Component>,
    engine: &Arc<Engine>,
) -> anyhow::Result<BTreeMap<String, Loaded>> {
    let mut loading = JoinSet::new();
    for component in components {
        let (component, engine) = (component.clone(), engine.clone());
        loading.spawn_blocking(move || {
            let bytes = read(&component)?;
            let artifact = engine.load_bytes(&bytes, &component.source.display().to_string())?;
            let file = FileArtifact { hash: artifact.hash.clone(), bytes };
            anyhow::Ok((component.id, Loaded { artifact, file }))
        });
    }
    let mut artifacts = BTreeMap::new();
    while let Some(loaded) = loading.join_next().await {
        let (id, artifact) = loaded.context("loading was interrupted")??;
        artifacts.insert(id, artifact);
    }
    Ok(artifacts)
}

/// What a component's file holds, with its dependencies composed in.
///
/// # Errors
/// When a file cannot be read, or they do not fit together.
pub fn read(component: &Component) -> anyhow::Result<Vec<u8>> {
    let source = &component.source;
    let bytes = std::fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
    let composed = compose(component, &bytes)
        .map_err(|errors| anyhow!("component {}: {}", component.id, compose::told(&errors)))?;
    Ok(composed.into_owned())
}

/// The artifact of a version: the manifest's file where it is that, else what the ledger keeps.
///
/// # Errors
/// When it is not kept, or cannot be compiled.
pub async fn of_version(
    id: &str,
    stored: &Stored,
    file: Option<&Loaded>,
    ledger: &dyn Ledger,
    engine: &Arc<Engine>,
) -> anyhow::Result<Artifact> {
    if let Some(loaded) = file.filter(|loaded| loaded.file.hash == stored.hash) {
        return Ok(loaded.artifact.clone());
    }
    let name = format!("version {} of {id}", stored.number);
    let bytes = ledger.artifact(&stored.hash).await?;
    let bytes = bytes.ok_or_else(|| {
        anyhow!(
            "{name} is to be served, and its bytes are not kept; `plaza up --files-only` serves the manifest's files"
        )
    })?;
    let engine = engine.clone();
    tokio::task::spawn_blocking(move || engine.load_bytes(&bytes, &name)).await.context("compiling was interrupted")?
}

/// The files as the ledger takes them.
pub fn files(loaded: &BTreeMap<String, Loaded>) -> BTreeMap<String, FileArtifact> {
    loaded.iter().map(|(id, loaded)| (id.clone(), loaded.file.clone())).collect()
}

/// The versions that a standing names, ready to answer, and how many of them had to be compiled.
///
/// # Errors
/// See [`of_version`] and [`Services::assemble`].
pub async fn standing_versions(
    id: &str,
    standing: &Standing,
    file: Option<&Loaded>,
    ledger: &dyn Ledger,
    services: &Services,
    furnished: &Furnished,
) -> anyhow::Result<(Versions, usize)> {
    let mut compiled = 0;
    let mut ready = async |stored: &Stored| {
        let artifact = of_version(id, stored, file, ledger, &services.engine).await?;
        compiled += usize::from(artifact.compiled);
        services.assemble(furnished, id, stored.number, artifact)
    };
    let active = ready(&standing.active).await?;
    let trial = match &standing.trial {
        Some(tried) => Some(Trial { version: ready(&tried.version).await?, share: tried.share }),
        None => None,
    };
    Ok((Versions { active, trial }, compiled))
}
