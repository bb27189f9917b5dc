//! Manifest and artifacts become linked services.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use anyhow::{Context, anyhow};
use arc_swap::ArcSwap;
use serde_json::json;
use tokio::{runtime::Handle, sync::Notify};
use wasmtime::component::Linker;

use super::{
    calls::Called,
    chain::Neighbourhood,
    linker::host_interfaces,
    outfit::{Outfit, Premises},
};
use crate::{
    capability::postgres::{OwnServer, Pools},
    compose::Composition,
    cores::Cores,
    database::ComponentDatabase,
    denial,
    engine::{Artifact, Engine},
    guest::Guest,
    limits::Threads,
    link,
    manifest::{
        App,
        app::{Component, Route, StaticResponse},
        import,
    },
    router::{RouteError, Router},
    server::Directory,
    service::{Lane, Room, Service, Version},
};

/// What makes and holds the services of an application.
pub struct Services {
    pub(super) engine: Arc<Engine>,
    base: Linker<Guest>,
    lanes: Vec<Handle>,
    background: Handle,
    room: Room,
    premises: Premises,
    /// Whom the components ask by HTTP.
    pub(super) neighbourhood: Neighbourhood,
    now: ArcSwap<Furnished>,
}

/// An application as one manifest describes it.
pub struct Furnished {
    /// The manifest.
    pub app: Arc<App>,
    /// Services by component id.
    pub services: HashMap<Arc<str>, Arc<Service>>,
    /// The components' databases, by component id.
    pub databases: BTreeMap<String, ComponentDatabase>,
    /// The value of every variable.
    pub values: BTreeMap<String, String>,
    /// Whom the components ask by HTTP.
    pub(super) neighbourhood: Neighbourhood,
    outfits: HashMap<Arc<str>, Furniture>,
}

/// What the instances of one component are given.
#[derive(Clone)]
struct Furniture {
    outfit: Arc<Outfit>,
    lanes: Vec<Lane>,
    /// Its database connections, to be closed at the end. Those of an outfit that nothing uses any more go with it.
    pools: Vec<Pools>,
}

impl Services {
    /// Services for an application, none of which has a version yet.
    ///
    /// # Errors
    /// A grant that cannot be resolved.
    pub fn new(
        app: Arc<App>,
        engine: Arc<Engine>,
        values: BTreeMap<String, String>,
        databases: BTreeMap<String, ComponentDatabase>,
        cores: &Cores,
        premises: Premises,
    ) -> anyhow::Result<Self> {
        let base = host_interfaces(engine.wasmtime())?;
        let nothing = Furnished {
            app: app.clone(),
            services: HashMap::new(),
            databases: BTreeMap::new(),
            values: BTreeMap::new(),
            neighbourhood: Neighbourhood::default(),
            outfits: HashMap::new(),
        };
        let services = Self {
            engine,
            base,
            lanes: cores.lanes().to_vec(),
            background: cores.background().clone(),
            room: Room::default(),
            premises,
            neighbourhood: Neighbourhood::default(),
            now: ArcSwap::from_pointee(nothing),
        };
        let furnished = services.furnish(app, values, databases, &|_| false)?;
        services.now.store(Arc::new(furnished));
        Ok(services)
    }

    /// The application as it is now.
    pub fn now(&self) -> Arc<Furnished> {
        self.now.load_full()
    }

    /// Makes this the application from now on.
    pub fn switch_to(&self, next: Arc<Furnished>) {
        self.now.store(next);
    }

    /// The application as another manifest would have it. Services are kept, and so is what instances are given of those
    /// components of which `keep` says so.
    ///
    /// # Errors
    /// A grant that cannot be resolved.
    pub fn furnish(
        &self,
        app: Arc<App>,
        values: BTreeMap<String, String>,
        databases: BTreeMap<String, ComponentDatabase>,
        keep: &dyn Fn(&str) -> bool,
    ) -> anyhow::Result<Furnished> {
        let before = self.now();
        // All of them are on one server.
        let own_server = databases
            .values()
            .next()
            .map(|database| Arc::new(OwnServer { address: database.host.clone(), socket: database.socket.clone() }));
        let mut services = HashMap::new();
        let mut outfits = HashMap::new();
        for component in app.components.values() {
            let id: Arc<str> = component.id.as_str().into();
            let service = before.services.get(&id).cloned();
            let service = service.unwrap_or_else(|| Service::new(id.clone(), component.plaza.limits.clone()));
            let former = before.outfits.get(&id);
            let furniture = match former.filter(|_| keep(&id)) {
                Some(kept) => kept.clone(),
                None => {
                    // Whoever waits for what it writes goes on waiting for the right thing.
                    let wrote = former.map(|former| former.outfit.wrote()).unwrap_or_default();
                    self.furniture(&app, component, &values, (own_server.clone(), wrote))
                        .with_context(|| format!("component {id}"))?
                }
            };
            services.insert(id.clone(), service);
            outfits.insert(id, furniture);
        }
        let neighbourhood = self.neighbourhood.clone();
        Ok(Furnished { app, services, databases, values, neighbourhood, outfits })
    }

    fn furniture(
        &self,
        app: &App,
        component: &Component,
        values: &BTreeMap<String, String>,
        (own_server, wrote): (Option<Arc<OwnServer>>, Arc<Notify>),
    ) -> anyhow::Result<Furniture> {
        let outfit = Arc::new(Outfit::new(app, component, values, &self.premises, own_server, wrote)?);
        let runtimes = match component.plaza.limits.threads {
            Threads::Shared => self.lanes.as_slice(),
            Threads::Background => std::slice::from_ref(&self.background),
        };
        let (lanes, pools) = outfit.lanes(runtimes, &self.room, &self.neighbourhood);
        Ok(Furniture { outfit, lanes, pools })
    }

    /// Links what a version is made of to its grants and to the services it depends on.
    ///
    /// # Errors
    /// An import that nobody provides, or provides with another type.
    pub fn assemble(
        &self,
        furnished: &Furnished,
        id: &str,
        number: u32,
        composition: Composition,
    ) -> anyhow::Result<Arc<Version>> {
        let component = furnished.app.components.get(id).with_context(|| format!("{id} is not in the manifest"))?;
        let furniture = furnished.outfits.get(id).with_context(|| format!("{id} is not in the manifest"))?;
        let id: Arc<str> = id.into();
        let linker = self.linked(component, &composition.artifact, &furnished.services)?;
        let limits = &component.plaza.limits;
        let version = Version::new(id.clone(), number, composition, &linker, limits, &furniture.lanes)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("component {id} cannot be linked; `plaza check` says more"))?;
        Ok(Arc::new(version))
    }

    /// The host's interfaces and, for this component, those of the components it depends on.
    fn linked(
        &self,
        component: &Component,
        artifact: &Artifact,
        services: &HashMap<Arc<str>, Arc<Service>>,
    ) -> anyhow::Result<Linker<Guest>> {
        let mut linker = self.base.clone();
        let id: Arc<str> = component.id.as_str().into();
        let kind = artifact.component.component_type();
        for (interface, _) in kind.imports(artifact.component.engine()) {
            let Some(provider) = import::provider(&component.links, interface) else { continue };
            let service =
                services.get(provider).ok_or_else(|| anyhow!("{id} depends on {provider}, which is missing"))?;
            link::define(&mut linker, &id, &artifact.component, interface, service)?;
        }
        let linked = |interface: &str| import::provider(&component.links, interface).is_some();
        denial::define(&mut linker, &artifact.component, linked)?;
        Ok(linker)
    }

    /// Closes the components' database connections.
    pub async fn close(&self) {
        let now = self.now();
        let pools = now.outfits.values().flat_map(|furniture| &furniture.pools);
        futures::future::join_all(pools.map(Pools::close)).await;
    }
}

impl Furnished {
    /// Which of its services answers which path.
    ///
    /// # Errors
    /// Routes that clash.
    pub fn directory(&self) -> Result<Directory, RouteError> {
        let routes = self.app.routes.iter().map(|one| (one.component.as_str(), one.route.clone()));
        let fixed = self.app.static_routes.iter();
        let fixed = fixed.map(|one| (StaticResponse::NAME, Route::Path(one.pattern.clone())));
        let responses = self.app.static_routes.iter().map(|one| (one.pattern.clone(), one.response.clone())).collect();
        let named = self.app.routes.iter().map(|one| one.component.as_str());
        let named = named.filter_map(|id| Some(self.services.get_key_value(id)?.0.clone())).collect();
        let (router, services) = (Router::new(routes.chain(fixed))?, self.services.clone());
        let info = json!({ "name": self.app.name, "version": self.app.version }).to_string();
        Ok(Directory { router, services, responses, named, info })
    }

    /// A component, to be called by the host itself.
    pub fn called(&self, id: &str) -> Option<Called> {
        Some(Called { service: self.services.get(id)?.clone(), neighbourhood: self.neighbourhood.clone() })
    }

    /// What a component's instances are given.
    pub fn outfit(&self, id: &str) -> Option<&Arc<Outfit>> {
        self.outfits.get(id).map(|furniture| &furniture.outfit)
    }
}
