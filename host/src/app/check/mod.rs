//! Every fault of a manifest and of the components it names.

mod components;

use std::collections::BTreeMap;

use wasmtime::{Engine, component::Component};

use crate::{
    engine::source::component_bytes,
    manifest::{self, Fault, Reading, Source, runtime_config::RuntimeConfig},
    service::contract::Surface,
};

/// Makes a component of a file's bytes, or says why not.
pub type Compile<'a> = dyn Fn(&[u8]) -> Result<Component, String> + 'a;

/// Reads a manifest and the components it names, and returns what is wrong with them, in the order of the manifest's lines. Components
/// that nothing uses are not looked at, unless they are optional.
///
/// `served` says whether the host provides an import (`wasi:clocks/monotonic-clock@0.3.0`); [`super::host_serves`] is the
/// usual answer. The engine must have the component model's async features on.
pub fn check(
    manifest: &Source,
    runtime_config: &RuntimeConfig,
    engine: &Engine,
    served: &dyn Fn(&str) -> bool,
) -> Vec<Fault> {
    let compile = |bytes: &[u8]| {
        let bytes = component_bytes(bytes).map_err(|refusal| refusal.to_string())?;
        Component::new(engine, &bytes).map_err(|error| error.root_cause().to_string())
    };
    let mut reading = manifest::read(manifest);
    reading.leave_out_idle();
    faults(&reading, runtime_config, engine, &compile, Known { running: &BTreeMap::new(), served })
}

/// What a manifest is held against beside its files.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// What those components import and export that run already.
    pub running: &'a BTreeMap<String, Surface>,
    /// Whether the host offers an interface.
    pub served: &'a dyn Fn(&str) -> bool,
}

/// What is wrong with a manifest that was read, and with its components. Of those that are `running` this counts, and not
/// what their files hold.
pub fn faults(
    reading: &Reading,
    runtime_config: &RuntimeConfig,
    engine: &Engine,
    compile: &Compile<'_>,
    known: Known<'_>,
) -> Vec<Fault> {
    let mut faults = reading.missing_files();
    faults.extend(reading.unknown_stores(runtime_config));
    faults.extend(components::faults(reading, engine, compile, known.running, known.served));
    faults.extend(reading.faults.iter().cloned());
    faults.sort_by_key(|fault| fault.line);
    faults
}
