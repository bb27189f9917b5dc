//! The wasmtime engine, once per process.

pub mod aside;
mod cache;
mod candidate;
pub mod rename;
pub mod source;
mod turns;

use std::{
    path::Path,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::{Context, anyhow};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig, component::Component};

use self::{aside::Compilers, cache::Cache, turns::Turns};
use crate::{
    digest::sha256,
    limits::{ADDRESS_SPACE_BYTES, EPOCH_TICK, HostLimits, MOST_PARTS, STACKS_PER_INSTANCE, TABLE_ELEMENTS},
};

/// Compiles components and advances the epoch that makes guests yield.
pub struct Engine {
    wasmtime: wasmtime::Engine,
    cache: Cache,
    compilers: Compilers,
    turns: Turns,
    stop: Arc<AtomicBool>,
}

/// A component as it was loaded.
#[derive(Clone)]
pub struct Artifact {
    /// What the engine runs.
    pub component: Component,
    /// SHA-256 of the `.wasm` bytes, in hexadecimal.
    pub hash: String,
    /// Whether it had to be compiled, rather than read from the cache.
    pub compiled: bool,
}

impl Engine {
    /// An engine for this machine, with compiled code kept in the folder `cache`.
    ///
    /// # Errors
    /// When the machine does not let it reserve its address space, or the folder cannot be made.
    pub fn new(limits: &HostLimits, cache: &Path) -> anyhow::Result<Self> {
        let cache = Cache::in_folder(cache)?;
        let wasmtime = wasmtime::Engine::new(&config(limits)).map_err(|error| {
            anyhow::Error::from(error)
                .context("cannot reserve address space for instances; lower --instances or raise `ulimit -v`")
        })?;
        let stop = Arc::new(AtomicBool::new(false));
        tick(wasmtime.clone(), stop.clone())?;
        Ok(Self { wasmtime, cache, compilers: Compilers::new(limits.compile_time)?, turns: Turns::default(), stop })
    }

    /// The engine underneath.
    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.wasmtime
    }

    /// Loads a component, compiling it only if this engine has not compiled these bytes before.
    ///
    /// # Errors
    /// When the file cannot be read or is not a component this engine can run.
    pub fn load(&self, file: &Path) -> anyhow::Result<Artifact> {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        self.load_bytes(&bytes, &file.display().to_string())
    }

    /// Loads a component from its bytes; `name` is what to call it in an error. To compile it takes all cores.
    ///
    /// # Errors
    /// As [`Engine::load`].
    pub fn load_bytes(&self, bytes: &[u8], name: &str) -> anyhow::Result<Artifact> {
        self.load_with(bytes, name, |component| Ok(self.wasmtime.precompile_component(component)?))
    }

    /// Loads a component from its bytes while others answer: compiling it takes what they leave of the machine.
    ///
    /// # Errors
    /// As [`Engine::load`], and when no compiler can be started.
    pub fn load_aside(&self, bytes: &[u8], name: &str) -> anyhow::Result<Artifact> {
        self.load_with(bytes, name, |component| self.compilers.compile(component))
    }

    /// Loads the component of this hash if it was compiled before.
    pub fn load_compiled(&self, hash: &str) -> Option<Artifact> {
        let component = self.read_cached(&self.cache.place(hash, &self.compatibility()))?;
        Some(Artifact { component, hash: hash.to_owned(), compiled: false })
    }

    fn load_with(
        &self,
        bytes: &[u8],
        name: &str,
        compile: impl FnOnce(&[u8]) -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<Artifact> {
        let hash = sha256(bytes);
        if let Some(artifact) = self.load_compiled(&hash) {
            return Ok(artifact);
        }
        let turn = self.turns.of(&hash);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(artifact) = self.load_compiled(&hash) {
            return Ok(artifact);
        }
        let cached = self.cache.place(&hash, &self.compatibility());
        let component =
            source::component_bytes(bytes).map_err(|refusal| anyhow!("{name} {refusal}; {}", refusal.remedy()))?;
        let compiled = compile(&component).with_context(|| format!("cannot compile {name}"))?;
        // A cache that cannot be written costs the next start some seconds; it is no reason not to serve.
        if let Err(error) = self.cache.keep(&cached, &compiled) {
            tracing::warn!(error = format!("{error:#}"), "what was compiled is not kept");
        }
        let component = match self.read_cached(&cached) {
            Some(component) => component,
            None => self.read_compiled(&compiled).with_context(|| format!("cannot use {name}"))?,
        };
        Ok(Artifact { component, hash, compiled: true })
    }

    /// What a cached artifact depends on besides its source: the engine's version and settings, and what is made of the source.
    fn compatibility(&self) -> String {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.wasmtime.precompile_compatibility_hash().hash(&mut hasher);
        source::FORM.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    #[expect(unsafe_code, reason = "the bytes come from this engine's own compiler")]
    fn read_compiled(&self, compiled: &[u8]) -> anyhow::Result<Component> {
        // SAFETY: the caller hands over what `precompile_component` of this engine has just returned.
        Ok(unsafe { Component::deserialize(&self.wasmtime, compiled) }?)
    }

    #[expect(unsafe_code, reason = "the cache is written by this host alone, in a folder only its owner may write")]
    fn read_cached(&self, file: &Path) -> Option<Component> {
        if !file.exists() {
            return None;
        }
        // SAFETY: the file was made by `precompile_component` of an engine with the same compatibility hash and was
        // renamed into place whole; wasmtime checks its own header again.
        match unsafe { Component::deserialize_file(&self.wasmtime, file) } {
            Ok(component) => {
                cache::used(file);
                Some(component)
            }
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "a cached artifact is unusable and is made anew");
                None
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn config(limits: &HostLimits) -> Config {
    let instances = limits.total_instances;
    let parts = instances.saturating_mul(limits.parts_per_instance.max(1));
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_core_instances(parts.saturating_mul(4))
        .total_memories(parts)
        .total_tables(parts.saturating_mul(2))
        .total_stacks(instances.saturating_mul(STACKS_PER_INSTANCE))
        .max_memory_size(ADDRESS_SPACE_BYTES)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .max_core_instances_per_component(64)
        .max_memories_per_component(MOST_PARTS)
        .max_tables_per_component(64)
        .table_elements(TABLE_ELEMENTS)
        .max_unused_warm_slots(instances);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Advances the epoch until the engine is dropped.
fn tick(engine: wasmtime::Engine, stop: Arc<AtomicBool>) -> std::io::Result<()> {
    thread::Builder::new().name("epoch".into()).spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            thread::sleep(EPOCH_TICK);
            engine.increment_epoch();
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest component: a header, and nothing in it.
    const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn components_of_the_same_bytes_can_be_loaded_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("empty.wasm");
        std::fs::write(&file, EMPTY_COMPONENT).unwrap();
        let limits = HostLimits { total_instances: 1, ..HostLimits::default() };
        for round in 0..20 {
            let engine = Engine::new(&limits, &folder.path().join(format!("cache-{round}"))).unwrap();
            let gate = std::sync::Barrier::new(8);
            thread::scope(|scope| {
                let load = || {
                    gate.wait();
                    engine.load(&file).map(|artifact| artifact.hash)
                };
                let loading: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
                for one in loading {
                    one.join().unwrap().unwrap();
                }
            });
        }
    }
}
