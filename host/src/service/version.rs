//! One compiled artifact of a component: how to instantiate it, and its workers on each lane.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use tokio::runtime::Handle;
use wasmtime::{
    Store,
    component::{Component, ComponentExportIndex, InstancePre, Linker, types::ComponentItem},
};
use wasmtime_wasi_http::{handler::Proxy, p2, p3};

use super::{
    instance::{Function, Instance},
    pool::{MakeInstance, Pool, PoolStatus},
};
use crate::{engine::Artifact, guest::Guest, limits::ComponentLimits, manifest::import};

/// Furnishes a store: a guest's capabilities as they are on one lane.
pub trait Furnish: Send + Sync {
    /// A fresh guest for an instance of `version`.
    fn guest(&self, version: &Arc<str>) -> Guest;
}

/// Where a component's instances run, and with what.
#[derive(Clone)]
pub struct Lane {
    /// The runtime that drives them.
    pub runtime: Handle,
    /// What they are given.
    pub furnish: Arc<dyn Furnish>,
}

/// A compiled component with its workers.
pub struct Version {
    /// The first characters of its hash: what people call it by.
    pub label: Arc<str>,
    /// SHA-256 of the `.wasm` bytes, in hexadecimal.
    pub hash: String,
    /// Whether it answers HTTP requests.
    pub serves_http: bool,
    exports: HashMap<String, usize>,
    pools: Vec<Arc<Pool>>,
}

impl Version {
    /// Links the artifact and makes an empty pool on each lane. Nothing is instantiated yet.
    ///
    /// # Errors
    /// An import that the linker does not have, or has with another type.
    pub fn new(
        component: Arc<str>,
        artifact: Artifact,
        linker: &Linker<Guest>,
        limits: &ComponentLimits,
        lanes: &[Lane],
    ) -> wasmtime::Result<Self> {
        let instance_pre = linker.instantiate_pre(&artifact.component)?;
        let http = HttpExport::of(&instance_pre);
        let (exports, indices) = exported_functions(&artifact.component);
        let label: Arc<str> = artifact.hash.chars().take(12).collect::<String>().into();
        let mut limits = limits.clone();
        if !matches!(http, Some(HttpExport::P3(_)) | None) {
            // A request of WASI 0.2 holds its instance, and its handler may be called once.
            limits.concurrent_per_instance = 1;
            limits.reuse = 1;
        }
        let serves_http = http.is_some();
        let blueprint = Arc::new(Blueprint { instance_pre, http, indices, memory: limits.memory_mib });
        let pools = lanes
            .iter()
            .map(|lane| {
                let maker =
                    Maker { blueprint: blueprint.clone(), furnish: lane.furnish.clone(), version: label.clone() };
                let runtime = lane.runtime.clone();
                Pool::new(component.clone(), label.clone(), limits.clone(), Arc::new(maker), runtime)
            })
            .collect();
        Ok(Self { label, hash: artifact.hash, serves_http, exports, pools })
    }

    /// The position of the export `interface#function`, for a call. A compatible later version of
    /// the interface serves as well.
    pub fn export(&self, interface: &str, function: &str) -> Option<usize> {
        let exact = self.exports.get(&format!("{interface}#{function}"));
        let compatible = || {
            let serves = |name: &str| {
                name.split_once('#').is_some_and(|(its, named)| named == function && import::compatible(its, interface))
            };
            self.exports.iter().find(|(name, _)| serves(name)).map(|(_, position)| position)
        };
        exact.or_else(compatible).copied()
    }

    /// The pool of a lane.
    pub fn pool(&self, lane: usize) -> Option<&Arc<Pool>> {
        self.pools.get(lane)
    }

    /// How its pools stand, summed up.
    pub fn status(&self) -> PoolStatus {
        self.pools.iter().map(|pool| pool.status()).fold(PoolStatus::default(), |sum, one| PoolStatus {
            instances: sum.instances + one.instances,
            in_flight: sum.in_flight + one.in_flight,
            waiting: sum.waiting + one.waiting,
        })
    }

    /// Takes nothing new, and returns once all its workers have ended.
    pub async fn drain(&self) {
        for pool in &self.pools {
            pool.drain().await;
        }
    }
}

/// Which `wasi:http` a component exports.
enum HttpExport {
    P2(p2::bindings::ProxyIndices),
    P3(p3::bindings::ServiceIndices),
}

impl HttpExport {
    fn of(instance_pre: &InstancePre<Guest>) -> Option<Self> {
        let p3 = p3::bindings::ServiceIndices::new(instance_pre).map(Self::P3);
        p3.or_else(|_| p2::bindings::ProxyIndices::new(instance_pre).map(Self::P2)).ok()
    }
}

/// What all instances of a version have in common.
struct Blueprint {
    instance_pre: InstancePre<Guest>,
    http: Option<HttpExport>,
    indices: Vec<ComponentExportIndex>,
    memory: u32,
}

/// Makes instances of one version on one lane.
struct Maker {
    blueprint: Arc<Blueprint>,
    furnish: Arc<dyn Furnish>,
    version: Arc<str>,
}

#[async_trait]
impl MakeInstance for Maker {
    async fn make(&self) -> wasmtime::Result<Instance> {
        let Blueprint { instance_pre, http, indices, memory } = &*self.blueprint;
        let mut guest = self.furnish.guest(&self.version);
        guest.memory = crate::guest::MemoryLimit::mib(*memory);
        let mut store = Store::new(instance_pre.engine(), guest);
        store.limiter(|guest| &mut guest.memory);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let instance = instance_pre.instantiate_async(&mut store).await?;
        let proxy = match http {
            Some(HttpExport::P3(found)) => Some(Proxy::P3(found.load(&mut store, &instance)?)),
            Some(HttpExport::P2(found)) => Some(Proxy::P2(found.load(&mut store, &instance)?)),
            None => None,
        };
        let functions = indices.iter().filter_map(|index| {
            let export = instance.get_func(&mut store, index)?;
            Some(Function { export, results: export.ty(&store).results().len() })
        });
        let functions = functions.collect();
        Ok(Instance { store, proxy, functions })
    }
}

/// The functions of all exported interfaces: positions by name, and what to look them up with.
fn exported_functions(component: &Component) -> (HashMap<String, usize>, Vec<ComponentExportIndex>) {
    let mut positions = HashMap::new();
    let mut indices = Vec::new();
    let kind = component.component_type();
    for (interface, item) in kind.exports(component.engine()) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        let Some(at) = component.get_export_index(None, interface) else { continue };
        for (function, item) in instance.exports(component.engine()) {
            let ComponentItem::ComponentFunc(_) = item.ty else { continue };
            let Some(index) = component.get_export_index(Some(&at), function) else { continue };
            positions.insert(format!("{interface}#{function}"), indices.len());
            indices.push(index);
        }
    }
    (positions, indices)
}
