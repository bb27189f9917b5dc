//! From the bytes of a component to a version that could answer.

use std::{sync::Arc, time::Duration};

use super::{Neighbours, Progress, Refused, Rollout, Step, Stored};
use crate::{
    engine::Artifact,
    limits::COMPILE_TIME,
    service::{Service, Version},
};

impl Rollout {
    pub(super) async fn compile(&self, bytes: Vec<u8>) -> Result<(Artifact, String), Vec<String>> {
        let compiled = tokio::time::timeout(COMPILE_TIME, self.application.compile(bytes)).await;
        let artifact = compiled
            .map_err(|_| {
                vec![format!(
                    "compiling took longer than {} s: build a smaller component, or optimise it with wasm-opt",
                    COMPILE_TIME.as_secs()
                )]
            })?
            .map_err(|reason| vec![reason])?;
        let detail = how(&artifact);
        Ok((artifact, detail))
    }

    /// What the ledger keeps of a version, compiled.
    pub(super) async fn artifact(&self, stored: &Stored) -> Result<Artifact, String> {
        if let Some(artifact) = self.application.compiled(&stored.hash).await {
            return Ok(artifact);
        }
        let bytes = self.ledger.artifact(&stored.hash).await.map_err(|error| error.to_string())?;
        let bytes = bytes.ok_or_else(|| format!("the bytes of v{} are not kept", stored.number))?;
        self.application.compile(bytes).await
    }

    pub(super) fn fits(&self, component: &str, artifact: &Artifact) -> Result<((), String), Vec<String>> {
        let neighbours = self.neighbours();
        let reasons = self.application.examine(component, &self.application.surface(artifact), &neighbours);
        if reasons.is_empty() {
            return Ok(((), format!("fits its {} neighbours", neighbours.len().saturating_sub(1))));
        }
        Err(reasons)
    }

    /// From a kept artifact to a version that could answer.
    pub(super) async fn make_ready(
        &self,
        component: &str,
        stored: &Stored,
        artifact: Artifact,
        migrations: &[(String, String)],
        probe: Option<&str>,
        progress: &Progress,
    ) -> Result<Arc<Version>, Refused> {
        if !migrations.is_empty() {
            let migrating = async {
                let applied = self.application.migrate(component, migrations).await.map_err(|reason| vec![reason])?;
                let detail = if applied.is_empty() { "nothing new".to_owned() } else { applied.join(", ") };
                Ok(((), detail))
            };
            progress.step(Step::Migrate, migrating).await?;
        }
        let instantiating = async {
            let version =
                self.application.assemble(component, stored.number, artifact).map_err(|reason| vec![reason])?;
            version.try_out().await.map_err(|error| vec![format!("it cannot be instantiated: {error:#}")])?;
            let instances = match self.application.service(component).and_then(|service| service.active()) {
                Some(active) => version.warm_up(&active).await,
                None => 1,
            };
            let detail =
                if instances == 1 { "one instance made".to_owned() } else { format!("{instances} instances made") };
            Ok((version, detail))
        };
        let version = progress.step(Step::Instantiate, instantiating).await?;
        if let Some(path) = probe {
            let probing = async {
                match self.application.probe(component, &version, path).await {
                    Ok(status) if status < 400 => Ok(((), format!("{path} answered {status}"))),
                    Ok(status) => Err(vec![format!("{path} answered {status}")]),
                    Err(reason) => Err(vec![format!("{path} was not answered: {reason}")]),
                }
            };
            let probed = progress.step(Step::Probe, probing).await;
            if let Err(refused) = probed {
                version.drain(Duration::ZERO).await;
                return Err(refused);
            }
        }
        Ok(version)
    }

    /// A kept version, made ready again.
    pub(super) async fn prepare(
        &self,
        component: &str,
        stored: &Stored,
        progress: &Progress,
    ) -> Result<Arc<Version>, Refused> {
        let compiling = async {
            let artifact = self.artifact(stored).await.map_err(|reason| vec![reason])?;
            let detail = how(&artifact);
            Ok((artifact, detail))
        };
        let artifact = progress.step(Step::Compile, compiling).await?;
        progress.step(Step::Contract, async { self.fits(component, &artifact) }).await?;
        self.make_ready(component, stored, artifact, &[], None, progress).await
    }

    /// The components as they run here.
    pub(super) fn neighbours(&self) -> Neighbours {
        let surfaces = |service: &Service| {
            let versions = service.versions();
            versions.iter().flat_map(|versions| versions.all()).map(|version| version.surface.clone()).collect()
        };
        self.application.services().iter().map(|service| (service.id.to_string(), surfaces(service))).collect()
    }
}

fn how(artifact: &Artifact) -> String {
    if artifact.compiled { "compiled" } else { "compiled before" }.to_owned()
}
