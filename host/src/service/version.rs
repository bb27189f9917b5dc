//! One compiled artifact of a component: how to instantiate it, and its workers on each lane.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::future::join_all;
use tokio::runtime::Handle;
use wasmtime::{
    Store, UpdateDeadline,
    component::{Component, ComponentExportIndex, InstancePre, Linker, types::ComponentItem},
};
use wasmtime_wasi_http::{handler::Proxy, p2, p3};

use super::{
    contract::Surface,
    export::Export,
    instance::{Function, Instance},
    pool::{MakeInstance, Pool},
    room::Room,
    status::PoolStatus,
    tally::Tally,
};
use crate::{compose::Composition, guest::Guest, limits::ComponentLimits, manifest::import};

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
    /// The room that all of the process's instances share.
    pub room: Room,
}

/// What hears messages of Redis in components of WASI 0.2 and older.
const OLD_HANDLER: &str = "fermyon:spin/inbound-redis";

/// A compiled component with its workers.
pub struct Version {
    /// Its number among the versions of its component, from 1.
    pub number: u32,
    /// `v` and its number: what people call it by.
    pub label: Arc<str>,
    /// SHA-256 of the component's own bytes, in hexadecimal.
    pub hash: String,
    /// What it was made of, to make it anew with other grants.
    pub composition: Composition,
    /// Whether it answers HTTP requests.
    pub serves_http: bool,
    /// Whether a request has an instance to itself: those of WASI 0.2 do.
    pub one_at_a_time: bool,
    /// What it imports and exports.
    pub surface: Arc<Surface>,
    /// What it has done.
    pub tally: Tally,
    exports: HashMap<String, usize>,
    pools: Vec<Arc<Pool>>,
}

impl Version {
    /// Links what it is made of and makes an empty pool on each lane. Nothing is instantiated yet.
    ///
    /// # Errors
    /// An import that the linker does not have, or has with another type.
    pub fn new(
        component: Arc<str>,
        number: u32,
        composition: Composition,
        linker: &Linker<Guest>,
        limits: &ComponentLimits,
        lanes: &[Lane],
    ) -> wasmtime::Result<Self> {
        let artifact = &composition.artifact;
        let instance_pre = linker.instantiate_pre(&artifact.component)?;
        let http = HttpExport::of(&instance_pre);
        let (exports, indices) = exported_functions(&artifact.component);
        let surface = Arc::new(Surface::of(linker.engine(), &artifact.component));
        let label: Arc<str> = format!("v{number}").into();
        let mut limits = limits.clone();
        let one_at_a_time = matches!(http, Some(HttpExport::P2(_))) || surface.exports_any(OLD_HANDLER);
        if one_at_a_time {
            // A request of WASI 0.2 holds its instance, and its handler may be called once; so may that of an older message.
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
                let place = (lane.runtime.clone(), lane.room.clone());
                Pool::new(component.clone(), label.clone(), limits.clone(), Arc::new(maker), place)
            })
            .collect();
        let hash = composition.hash.clone();
        let tally = Tally::default();
        Ok(Self { number, label, hash, composition, serves_http, one_at_a_time, surface, tally, exports, pools })
    }

    /// The position of an export, for a call. A compatible later version of the interface serves as well.
    pub fn export(&self, wanted: &Export) -> Option<usize> {
        let exact = self.exports.get(wanted.name());
        let compatible = || {
            let serves = |name: &str| {
                name.split_once('#').is_some_and(|(interface, function)| {
                    function == wanted.function() && import::compatible(interface, wanted.interface())
                })
            };
            self.exports.iter().find(|(name, _)| serves(name)).map(|(_, position)| position)
        };
        exact.or_else(compatible).copied()
    }

    /// The pool of a lane. A version that has just one pool works for all lanes there.
    pub fn pool(&self, lane: usize) -> Option<&Arc<Pool>> {
        self.pools.get(lane % self.pools.len().max(1))
    }

    /// How many lanes it has workers on.
    pub fn lanes(&self) -> usize {
        self.pools.len()
    }

    /// Makes one instance, for the first requests: whether it can be done, and what its start function does.
    ///
    /// # Errors
    /// The trap, or what the instance was refused.
    pub async fn try_out(&self) -> wasmtime::Result<()> {
        match self.pools.first() {
            Some(pool) => pool.make_ahead().await,
            None => Ok(()),
        }
    }

    /// Makes as many instances on each lane as the version has there that this one is to answer instead of, so that those
    /// who ask first wait for none; returns how many it has then.
    pub async fn warm_up(&self, instead_of: &Self) -> usize {
        for (lane, pool) in self.pools.iter().enumerate() {
            let wanted = instead_of.pool(lane).map_or(0, |other| other.status().instances);
            // One after the other: those who are served share the threads.
            pool.make_up_to(wanted).await;
        }
        self.status().instances
    }

    /// How its pools stand, summed up.
    pub fn status(&self) -> PoolStatus {
        self.pools.iter().map(|pool| pool.status()).sum()
    }

    /// Takes nothing new and lets what is in flight finish within `patience`; then ends it, and returns how many
    /// requests and calls that cut off.
    pub async fn drain(&self, patience: Duration) -> usize {
        self.pools.iter().for_each(|pool| pool.close());
        let drained = join_all(self.pools.iter().map(|pool| pool.drain()));
        match tokio::time::timeout(patience, drained).await {
            Ok(_) => 0,
            Err(_) => self.pools.iter().map(|pool| pool.cut()).sum(),
        }
    }
}

impl Drop for Version {
    /// One that was never let in has instances, too.
    fn drop(&mut self) {
        self.pools.iter().for_each(|pool| pool.dismiss());
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
        let stops = Arc::new(AtomicUsize::new(0));
        let time_is_over = Arc::new(AtomicBool::new(false));
        let (counter, over) = (stops.clone(), time_is_over.clone());
        store.epoch_deadline_callback(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            // An error from here carries the guest's frames, which tell where it computes.
            if over.load(Ordering::Relaxed) {
                return Err(wasmtime::format_err!("the guest computed on when its time was over"));
            }
            Ok(UpdateDeadline::Yield(1))
        });
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
        Ok(Instance { store, proxy, functions, stops, time_is_over })
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
