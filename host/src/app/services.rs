//! Manifest and artifacts become linked services.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, anyhow};
use tokio::task::JoinSet;
use wasmtime::component::Linker;

use super::{linker::host_interfaces, outfit::Outfit};
use crate::{
    capability::postgres::Pools,
    cores::Cores,
    engine::{Artifact, Engine},
    guest::Guest,
    limits::Threads,
    link,
    manifest::{App, app::Component, import},
    service::{Lane, Service, Version},
};

/// The services of an application.
pub struct Services {
    /// By component id.
    pub by_id: HashMap<Arc<str>, Arc<Service>>,
    /// What each component's instances are given.
    pub outfits: HashMap<Arc<str>, Arc<Outfit>>,
    /// Their database connections, to be closed at the end.
    pub pools: Vec<Pools>,
    /// How many components had to be compiled.
    pub compiled: usize,
}

impl Services {
    /// Closes the components' database connections.
    pub async fn close(&self) {
        futures::future::join_all(self.pools.iter().map(Pools::close)).await;
    }
}

/// Loads every component's artifact, in parallel.
///
/// # Errors
/// The first component that cannot be loaded.
pub async fn load_artifacts(app: &App, engine: &Arc<Engine>) -> anyhow::Result<BTreeMap<String, Artifact>> {
    let mut loading = JoinSet::new();
    for component in app.components.values() {
        let (id, source, engine) = (component.id.clone(), component.source.clone(), engine.clone());
        loading.spawn_blocking(move || engine.load(&source).map(|artifact| (id, artifact)));
    }
    let mut artifacts = BTreeMap::new();
    while let Some(loaded) = loading.join_next().await {
        let (id, artifact) = loaded.context("loading was interrupted")??;
        artifacts.insert(id, artifact);
    }
    Ok(artifacts)
}

/// Makes services, links their imports to one another, and activates their versions.
///
/// # Errors
/// A grant that cannot be resolved, or an import that nobody provides.
pub fn assemble(
    app: &App,
    engine: &Engine,
    mut artifacts: BTreeMap<String, Artifact>,
    values: &BTreeMap<String, String>,
    cores: &Cores,
    scratch: &Path,
) -> anyhow::Result<Services> {
    let mut services = Services {
        by_id: app.components.values().map(|component| service(component, cores)).collect(),
        outfits: HashMap::new(),
        pools: Vec::new(),
        compiled: artifacts.values().filter(|artifact| artifact.compiled).count(),
    };
    let base = host_interfaces(engine.wasmtime())?;
    for component in app.components.values() {
        let id: Arc<str> = component.id.as_str().into();
        let artifact = artifacts.remove(&component.id).ok_or_else(|| anyhow!("{id} was not loaded"))?;
        let outfit = Outfit::new(app, component, values, scratch).with_context(|| format!("component {id}"))?;
        let outfit = Arc::new(outfit);
        let (lanes, pools): (Vec<_>, Vec<_>) = lanes(component, &outfit, cores).into_iter().unzip();
        let linker = linked(&base, component, &artifact, &services.by_id)?;
        let version = Version::new(id.clone(), artifact, &linker, &component.plaza.limits, &lanes)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("component {id} cannot be linked; `plaza check` says more"))?;
        if let Some(service) = services.by_id.get(&id) {
            service.activate(Arc::new(version));
        }
        services.pools.extend(pools);
        services.outfits.insert(id, outfit);
    }
    Ok(services)
}

fn service(component: &Component, cores: &Cores) -> (Arc<str>, Arc<Service>) {
    let id: Arc<str> = component.id.as_str().into();
    let lanes = match component.plaza.limits.threads {
        Threads::Shared => cores.lanes().len(),
        Threads::Background => 1,
    };
    (id.clone(), Service::new(id, component.plaza.limits.clone(), lanes))
}

fn lanes(component: &Component, outfit: &Arc<Outfit>, cores: &Cores) -> Vec<(Lane, Pools)> {
    match component.plaza.limits.threads {
        Threads::Background => vec![outfit.lane(cores.background().clone(), 1)],
        Threads::Shared => {
            let runtimes = cores.lanes();
            runtimes.iter().map(|runtime| outfit.lane(runtime.clone(), runtimes.len())).collect()
        }
    }
}

/// The host's interfaces and, for this component, those of the components it depends on.
fn linked(
    base: &Linker<Guest>,
    component: &Component,
    artifact: &Artifact,
    services: &HashMap<Arc<str>, Arc<Service>>,
) -> anyhow::Result<Linker<Guest>> {
    let mut linker = base.clone();
    let id: Arc<str> = component.id.as_str().into();
    let kind = artifact.component.component_type();
    for (interface, _) in kind.imports(artifact.component.engine()) {
        let Some(provider) = import::provider(&component.links, interface) else { continue };
        let service =
            services.get(provider).with_context(|| format!("{id} depends on {provider}, which is missing"))?;
        link::define(&mut linker, &id, &artifact.component, interface, service)?;
    }
    Ok(linker)
}
