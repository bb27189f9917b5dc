//! From the bytes of a component to a version that could answer.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{Neighbours, Progress, Refused, Rollout, Step, Stored};
use crate::{
    compose::Composition,
    service::{Service, Version},
};

impl Rollout {
    pub(super) async fn compile(&self, component: &str, bytes: Bytes) -> Result<(Composition, String), Vec<String>> {
        let composition = self.application.compile(component, bytes).await?;
        let detail = how(&composition);
        Ok((composition, detail))
    }

    /// What the ledger keeps of a version, composed as the manifest says now, and compiled.
    pub(super) async fn composition(&self, component: &str, stored: &Stored) -> Result<Composition, Vec<String>> {
        if let Some(composition) = self.application.compiled(component, &stored.hash).await {
            return Ok(composition);
        }
        let bytes = self.ledger.artifact(&stored.hash).await.map_err(|error| vec![error.to_string()])?;
        let bytes = bytes.ok_or_else(|| vec![format!("the bytes of v{} are not kept", stored.number)])?;
        self.application.compile(component, bytes.into()).await
    }

    pub(super) fn fits(&self, component: &str, composition: &Composition) -> Result<((), String), Vec<String>> {
        let neighbours = self.neighbours();
        let reasons = self.application.examine(component, &self.application.surface(composition), &neighbours);
        if reasons.is_empty() {
            return Ok(((), format!("fits its {} neighbours", neighbours.len().saturating_sub(1))));
        }
        Err(reasons)
    }

    /// From what was kept to a version that could answer.
    pub(super) async fn make_ready(
        &self,
        component: &str,
        stored: &Stored,
        composition: Composition,
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
                self.application.assemble(component, stored.number, composition).map_err(|reason| vec![reason])?;
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
            let composition = self.composition(component, stored).await?;
            let detail = how(&composition);
            Ok((composition, detail))
        };
        let composition = progress.step(Step::Compile, compiling).await?;
        progress.step(Step::Contract, async { self.fits(component, &composition) }).await?;
        self.make_ready(component, stored, composition, &[], None, progress).await
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

fn how(composition: &Composition) -> String {
    if composition.artifact.compiled { "compiled" } else { "compiled before" }.to_owned()
}
