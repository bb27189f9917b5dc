//! What is wrong with the components themselves.

use std::{borrow::Cow, collections::BTreeMap};

use wasmtime::{Engine, component};

use super::Compile;
use crate::{
    app::{linker, served},
    compose::{self, ComposeError, Files, compose},
    database::check_migrations,
    engine::source::component_bytes,
    limits::MOST_PARTS,
    manifest::{
        Fault, Reading,
        app::{Component, part_place},
        import,
    },
    redis_trigger,
    service::contract::{
        self, Surface,
        called::{self, SUBSCRIBER, TASK},
    },
};

/// Every fault of the components that are running or whose files exist.
pub(super) fn faults(
    reading: &Reading,
    engine: &Engine,
    compile: &Compile<'_>,
    running: &BTreeMap<String, Surface>,
    served: &dyn Fn(&str) -> bool,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut surfaces: BTreeMap<&str, Surface> =
        running.iter().map(|(id, surface)| (id.as_str(), surface.clone())).collect();
    let mut compiled = BTreeMap::new();
    let files = reading.app.components.values().filter(|component| component.source.is_file());
    for component in files.filter(|component| !running.contains_key(&component.id)) {
        match read(reading, compile, component) {
            Ok(read) => {
                surfaces.insert(component.id.as_str(), Surface::of(engine, &read.compiled));
                if read.unfit.is_empty() {
                    compiled.insert(component.id.as_str(), read.compiled);
                }
                faults.extend(read.unfit);
            }
            Err(fault) => faults.push(fault),
        }
    }
    for component in reading.app.components.values() {
        let id = component.id.as_str();
        if let Some(surface) = surfaces.get(id) {
            let before = faults.len();
            unprovided(reading, component, surface, &surfaces, served, &mut faults);
            declined(reading, component, surface, &mut faults);
            unfit_links(reading, component, surface, &surfaces, &mut faults);
            unused_links(reading, component, surface, &surfaces, &mut faults);
            missing_exports(reading, component, surface, &mut faults);
            unfit_exports(reading, component, surface, &mut faults);
            let is_sound = faults.len() == before && !reading.is_only_middleware(component);
            if let Some(compiled) = compiled.get(id).filter(|_| is_sound) {
                unlinked(reading, engine, component, compiled, &mut faults);
            }
        }
        bad_migrations(reading, component, &mut faults);
        too_many_parts(reading, component, &mut faults);
    }
    faults
}

/// What only linking shows: an interface that the host serves in another shape, or whose package alone it serves.
fn unlinked(
    reading: &Reading,
    engine: &Engine,
    component: &Component,
    compiled: &component::Component,
    faults: &mut Vec<Fault>,
) {
    let linked = linker::host_interfaces(engine).and_then(|base| linker::try_link(&base, component, compiled));
    if let Err(error) = linked {
        let causes: Vec<String> = error.chain().map(|cause| cause.to_string()).collect();
        let message = format!("`{}` cannot be linked: {}", component.id, causes.join(": "));
        let remedy = "build it against interfaces that the host serves, with an SDK of the same release";
        faults.push(reading.fault(&component.id, &["source"], message, remedy));
    }
}

fn bad_migrations(reading: &Reading, component: &Component, faults: &mut Vec<Fault>) {
    let Some(folder) = component.plaza.migrations.as_ref().filter(|folder| folder.is_dir()) else { return };
    if let Err(error) = check_migrations(folder) {
        let message = format!("the migrations of `{}` cannot be applied", component.id);
        faults.push(reading.fault(&component.id, &["tool", "plaza", "migrations"], message, error.to_string()));
    }
}

fn too_many_parts(reading: &Reading, component: &Component, faults: &mut Vec<Fault>) {
    let parts = component.parts().count().saturating_add(1);
    if u32::try_from(parts).is_ok_and(|parts| parts <= MOST_PARTS) {
        return;
    }
    let message = format!("`{}` would have {parts} parts, itself among them; {MOST_PARTS} are the most", component.id);
    let remedy = "link some of them, or let one line name a whole package";
    faults.push(reading.fault(&component.id, &["dependencies"], message, remedy));
}

/// A component as its file holds it.
struct Read {
    /// With its dependencies composed in, where they fit.
    compiled: component::Component,
    /// What keeps them from it.
    unfit: Vec<Fault>,
}

fn read(reading: &Reading, compile: &Compile<'_>, component: &Component) -> Result<Read, Fault> {
    let shown = component.source.strip_prefix(reading.app.base()).unwrap_or(&component.source).display();
    let fault = |message: String, remedy: &str| reading.fault(&component.id, &["source"], message, remedy);
    let bytes = std::fs::read(&component.source)
        .map_err(|error| fault(format!("`{shown}` cannot be read: {error}"), "make it readable for this user"))?;
    component_bytes(&bytes).map_err(|refusal| fault(format!("`{shown}` {refusal}"), refusal.remedy()))?;
    let files = Files::read([component]);
    let (composed, mut unfit) = match compose(component, &bytes, &files) {
        Ok(whole) => (whole.bytes, Vec::new()),
        Err(errors) => {
            (Cow::Borrowed(&*bytes), errors.iter().filter_map(|error| unfit(reading, component, error)).collect())
        }
    };
    unfit.extend(useless(reading, component, &bytes, &files));
    match compile(&composed) {
        Ok(compiled) => Ok(Read { compiled, unfit }),
        Err(cause) => {
            let cause = cause.lines().next().unwrap_or_default();
            Err(fault(format!("`{shown}` is no component that can be run: {cause}"), "build it anew"))
        }
    }
}

/// A fault at the line of a dependency. A file that is not there is told with all others.
fn unfit(reading: &Reading, component: &Component, error: &ComposeError) -> Option<Fault> {
    let fault = |key: &[&str]| Some(reading.fault(&component.id, key, error.to_string(), error.remedy()));
    match (error, error.key()) {
        (ComposeError::Missing { file, .. }, _) if !file.is_file() => None,
        (_, Some(key)) => fault(&part_place(key)),
        (_, None) => fault(&["source"]),
    }
}

/// The lines of dependencies of which the component imports nothing. As with links, such a line may be ready for a version that will
/// import it; what it names must export it already.
fn useless(reading: &Reading, component: &Component, bytes: &[u8], files: &Files) -> Vec<Fault> {
    let ready = |key: &str| {
        let dependency = component.composed.get(key)?;
        let exports = compose::exports(key, dependency, files).ok()?;
        let is_meant = |name: &String| match &dependency.export {
            Some(export) => export == name,
            None => import::covers(key, name),
        };
        exports.iter().any(is_meant).then_some(())
    };
    let unused = compose::unused(component, bytes).into_iter().filter(|key| ready(key).is_none());
    let fault = |key: &str| {
        let message = format!("`{}` imports nothing of {key}", component.id);
        let remedy = "take the line out, or build the component against the interface";
        reading.fault(&component.id, &["dependencies", key], message, remedy)
    };
    unused.map(fault).collect()
}

fn unprovided(
    reading: &Reading,
    component: &Component,
    surface: &Surface,
    surfaces: &BTreeMap<&str, Surface>,
    served: &dyn Fn(&str) -> bool,
    faults: &mut Vec<Fault>,
) {
    for (name, interface) in &surface.imports {
        let composed = || component.composed.keys().any(|key| import::covers(key, name));
        let linked = || import::provider(&component.links, name).is_some();
        if interface.is_types_only() || served(name) || linked() || composed() {
            continue;
        }
        let provider = surfaces.iter().find(|(id, other)| **id != component.id && other.provides(name).is_some());
        let line = |id: &str| {
            format!(
                "\"{name}\" = {{ component = \"{id}\" }} under `[component.{}.tool.plaza.dependencies]`",
                component.id
            )
        };
        let remedy = match (provider, served::remedy(name)) {
            (Some((id, _)), _) => format!("`{id}` exports it: add {}", line(id)),
            (None, Some(remedy)) => remedy,
            (None, None) => format!("name a component that exports it: add {}", line("<id>")),
        };
        let message = format!("`{}` imports {name}, which nobody provides", component.id);
        faults.push(reading.fault(&component.id, &["source"], message, remedy));
    }
}

/// What a component is granted and the host cannot do. SDKs import more than their programs use, so that an import alone says nothing.
fn declined(reading: &Reading, component: &Component, surface: &Surface, faults: &mut Vec<Fault>) {
    for import in surface.imports.keys() {
        let grants = component.allowed_outbound_hosts.iter().map(ToString::to_string);
        if let Some(grant) = served::useless_grant(import, grants) {
            let message =
                format!("`{}` is granted `{grant}` and imports {import}, which is not served yet", component.id);
            let remedy = "take the grant out if the component does not need it";
            faults.push(reading.fault(&component.id, &["allowed_outbound_hosts"], message, remedy));
        }
    }
}

fn unfit_links(
    reading: &Reading,
    component: &Component,
    surface: &Surface,
    surfaces: &BTreeMap<&str, Surface>,
    faults: &mut Vec<Fault>,
) {
    for name in surface.imports.keys() {
        let Some((key, id)) = import::line_of(&component.links, name) else {
            continue;
        };
        let mut fault =
            |message: String, remedy: String| faults.push(link_fault(reading, component, key, message, remedy));
        for mismatch in contract::unlinkable(surface, name) {
            let remedy = "declare it as `async func`, and pass values instead of resources, streams and futures";
            fault(format!("`{}` cannot call another component by {mismatch}", component.id), remedy.to_owned());
        }
        let Some(provider) = surfaces.get(id) else {
            continue;
        };
        for mismatch in contract::missing(surface, provider, name) {
            let remedy = match mismatch.function {
                Some(_) => format!("build `{}` and `{id}` against the same WIT", component.id),
                None => format!("let `{id}` export it, or name a component that does"),
            };
            fault(format!("`{id}` does not fit `{}`: {mismatch}", component.id), remedy);
        }
    }
}

/// A dependency that is not imported may be ready for a version that will import it; its provider must have it already.
fn unused_links(
    reading: &Reading,
    component: &Component,
    surface: &Surface,
    surfaces: &BTreeMap<&str, Surface>,
    faults: &mut Vec<Fault>,
) {
    for (key, id) in &component.links {
        if surface.imports.keys().any(|name| import::covers(key, name)) {
            continue;
        }
        let provider = surfaces.get(id.as_str()).filter(|_| *id != component.id);
        if provider.is_some_and(|provider| provider.exports.keys().any(|name| import::covers(key, name))) {
            continue;
        }
        let message = format!("`{}` imports nothing of {key}", component.id);
        let remedy = match provider {
            Some(_) => format!("take the line out, or let `{id}` export it first"),
            None => "take the line out".to_owned(),
        };
        faults.push(link_fault(reading, component, key, message, remedy));
    }
}

fn missing_exports(reading: &Reading, component: &Component, surface: &Surface, faults: &mut Vec<Fault>) {
    let id = &component.id;
    let handles = ["wasi:http/handler", "wasi:http/incoming-handler"].iter().any(|name| surface.exports_any(name));
    if !handles && reading.app.routes.iter().any(|trigger| trigger.component == *id) {
        let message = format!("`{id}` has a route and does not handle requests");
        let remedy =
            "export wasi:http/handler@0.3.0 (`#[http_service]` of spin-sdk 7) or wasi:http/incoming-handler@0.2";
        faults.push(reading.fault(id, &["source"], message, remedy));
    }
    let hears = surface.exports.keys().any(|name| redis_trigger::is_handler(name));
    if !hears && reading.app.channels.iter().any(|trigger| trigger.component == *id) {
        let message = format!("`{id}` is on a Redis channel and does not handle messages");
        let remedy =
            "export spin:redis/inbound-redis@3.0.0 (`#[redis_subscriber]` of spin-sdk 7) or fermyon:spin/inbound-redis";
        faults.push(reading.fault(id, &["source"], message, remedy));
    }
    if !component.plaza.subscribe.is_empty() && surface.provides(SUBSCRIBER).is_none() {
        let message = format!("`{id}` subscribes to events and does not handle them");
        let remedy = format!("export {SUBSCRIBER}, or take `subscribe` out");
        faults.push(reading.fault(id, &["tool", "plaza", "subscribe"], message, remedy));
    }
    if component.plaza.tick_seconds.is_some() && surface.provides(TASK).is_none() {
        let message = format!("`{id}` has a tick and nothing to do at it");
        let remedy = format!("export {TASK}, or take `tick_seconds` out");
        faults.push(reading.fault(id, &["tool", "plaza", "tick_seconds"], message, remedy));
    }
}

/// What the host would call with values of other types.
fn unfit_exports(reading: &Reading, component: &Component, surface: &Surface, faults: &mut Vec<Fault>) {
    let id = &component.id;
    let on_channel = reading.app.channels.iter().any(|trigger| trigger.component == *id);
    let settings = &component.plaza;
    let (subscribe, tick): (&[&str], &[&str]) = (&["tool", "plaza", "subscribe"], &["tool", "plaza", "tick_seconds"]);
    for (applies, key, what, found) in [
        (!settings.subscribe.is_empty(), subscribe, "cannot be handed events", called::unfit(surface, SUBSCRIBER)),
        (settings.tick_seconds.is_some(), tick, "cannot be called by the clock", called::unfit(surface, TASK)),
        (on_channel, &["source"], "cannot be handed messages", called::unfit_for_messages(surface)),
    ] {
        for mismatch in found.iter().filter(|_| applies) {
            let remedy = format!("build `{id}` against the published {}", mismatch.interface);
            faults.push(reading.fault(id, key, format!("`{id}` {what}: {mismatch}"), remedy));
        }
    }
}

/// A fault at the line of a link.
fn link_fault(reading: &Reading, component: &Component, key: &str, message: String, remedy: String) -> Fault {
    reading.fault(&component.id, &["tool", "plaza", "dependencies", key], message, remedy)
}
