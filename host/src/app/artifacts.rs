//! The components' files, and what of them is to be served.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context, anyhow};
use tokio::task::JoinSet;

use super::services::{Furnished, Services};
use crate::{
    compose::{Composition, Files},
    digest::sha256,
    engine::{Artifact, Engine},
    manifest::app::Component,
    rollout::{FileArtifact, Ledger, Stored},
    service::Version,
};

/// How an engine loads bytes of this name: with all cores, or beside those who serve.
pub type Load = fn(&Engine, &[u8], &str) -> anyhow::Result<Artifact>;

/// A component's file as it was loaded.
pub struct Loaded {
    /// What is run of it, or what keeps it from being run. That need not matter: another version may be the one that answers.
    pub composition: Result<Composition, String>,
    /// What the ledger keeps.
    pub file: FileArtifact,
}

/// Loads the components' files, in parallel, with their dependencies composed in.
///
/// # Errors
/// The first file that cannot be read.
pub async fn load(
    components: impl Iterator<Item = &Component>,
    files: &Files,
    engine: &Arc<Engine>,
    load: Load,
) -> anyhow::Result<BTreeMap<String, Loaded>> {
    let mut loading = JoinSet::new();
    for component in components {
        let (component, files, engine) = (component.clone(), files.clone(), engine.clone());
        loading.spawn_blocking(move || {
            let source = &component.source;
            let bytes = read(source)?;
            let load = |whole: &[u8]| load(&engine, whole, &source.display().to_string());
            let composition = Composition::of(&component, &bytes, &files, load);
            let hash = composition.as_ref().map_or_else(|_| sha256(&bytes), |composition| composition.hash.clone());
            let composition =
                composition.map_err(|reasons| format!("component {}: {}", component.id, reasons.join("\n")));
            anyhow::Ok((component.id, Loaded { composition, file: FileArtifact { hash, bytes } }))
        });
    }
    let mut artifacts = BTreeMap::new();
    while let Some(loaded) = loading.join_next().await {
        let (id, artifact) = loaded.context("loading was interrupted")??;
        artifacts.insert(id, artifact);
    }
    Ok(artifacts)
}

/// What a component's file holds.
///
/// # Errors
/// When it cannot be read.
pub fn read(source: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(source).with_context(|| format!("cannot read {}", source.display()))
}

/// The own bytes of a version of a component: what the ledger keeps, or else the manifest's file where that is the same.
///
/// # Errors
/// When neither has them.
pub async fn own_bytes(component: &Component, hash: &str, ledger: &dyn Ledger) -> anyhow::Result<Option<Vec<u8>>> {
    if let Some(bytes) = ledger.artifact(hash).await? {
        return Ok(Some(bytes));
    }
    Ok(read(&component.source).ok().filter(|bytes| sha256(bytes) == hash))
}

/// The files as the ledger takes them.
pub fn files(loaded: &BTreeMap<String, Loaded>) -> BTreeMap<String, FileArtifact> {
    loaded.iter().map(|(id, loaded)| (id.clone(), loaded.file.clone())).collect()
}

/// What the versions are made with that a standing names.
pub struct Making<'a> {
    /// The components' files.
    pub loaded: &'a BTreeMap<String, Loaded>,
    /// The files of their dependencies.
    pub files: &'a Files,
    /// Where versions are kept.
    pub ledger: &'a dyn Ledger,
    /// What makes them.
    pub services: &'a Services,
    /// What they are linked to.
    pub furnished: &'a Furnished,
    /// How what is kept is loaded.
    pub load: Load,
}

impl Making<'_> {
    /// A version, ready to answer, and whether it had to be compiled.
    ///
    /// # Errors
    /// When it is not kept, cannot be composed with its dependencies, compiled or linked.
    pub async fn version(&self, id: &str, stored: &Stored) -> anyhow::Result<(Arc<Version>, bool)> {
        let component = self.furnished.app.components.get(id);
        let component = component.with_context(|| format!("{id} is not in the manifest"))?;
        let composition = self.composition(component, stored).await?;
        let compiled = composition.artifact.compiled;
        Ok((self.services.assemble(self.furnished, id, stored.number, composition)?, compiled))
    }

    /// What is run of a version: the manifest's file where it is that, else what the ledger keeps; composed by this manifest.
    async fn composition(&self, component: &Component, stored: &Stored) -> anyhow::Result<Composition> {
        let loaded = self.loaded.get(&component.id);
        if let Some(loaded) = loaded.filter(|loaded| loaded.file.hash == stored.hash) {
            return loaded.composition.clone().map_err(anyhow::Error::msg);
        }
        let name = format!("version {} of {}", stored.number, component.id);
        let advice = "`plaza up --files-only` serves the manifest's files";
        let bytes = self.ledger.artifact(&stored.hash).await?;
        let bytes = bytes.ok_or_else(|| anyhow!("{name} is to be served, and its bytes are not kept; {advice}"))?;
        let (component, files) = (component.clone(), self.files.clone());
        let (engine, load) = (self.services.engine.clone(), self.load);
        let composing = tokio::task::spawn_blocking(move || {
            Composition::of(&component, &bytes, &files, |whole| load(&engine, whole, &name))
                .map_err(|reasons| anyhow!("{name} is to be served: {}; {advice}", reasons.join("\n")))
        });
        composing.await.context("compiling was interrupted")?
    }
}
