//! May this component take that place? Pure: types against types, and against the manifest.

use std::{collections::BTreeMap, sync::Arc};

use super::needs;
use crate::{
    manifest::{
        App,
        app::{Component, Route},
        import,
    },
    redis_trigger,
    service::contract::{
        self, Surface,
        called::{self, SUBSCRIBER, TASK},
    },
};

/// The surfaces of the versions that answer now, by component: one each, two where one is on trial.
pub type Neighbours = BTreeMap<String, Vec<Arc<Surface>>>;

/// What keeps a component of this surface from answering as `id`; each with what to do. `served` says which imports the
/// host provides.
pub fn examine(
    app: &App,
    id: &str,
    surface: &Surface,
    neighbours: &Neighbours,
    served: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let Some(component) = app.components.get(id) else {
        return vec![format!("the application has no component `{id}`")];
    };
    let mut reasons = unprovided(component, surface, served);
    reasons.extend(unfit_providers(component, surface, neighbours));
    reasons.extend(unfit_for_consumers(app, id, surface, neighbours));
    reasons.extend(missing_exports(app, component, surface));
    reasons.extend(unfit_exports(app, component, surface));
    reasons.extend(needs::ungranted(component, surface, neighbours));
    reasons
}

fn unprovided(component: &Component, surface: &Surface, served: &dyn Fn(&str) -> bool) -> Vec<String> {
    let unprovided = surface.imports.iter().filter(|(name, interface)| {
        !interface.is_types_only() && !served(name) && import::provider(&component.links, name).is_none()
    });
    let advice = |name: &String| {
        format!(
            "it imports {name}, which nobody provides: name a component that exports it under [component.{}.tool.plaza.dependencies] and run `plaza apply`, or build it without",
            component.id
        )
    };
    unprovided.map(|(name, _)| advice(name)).collect()
}

fn unfit_providers(component: &Component, surface: &Surface, neighbours: &Neighbours) -> Vec<String> {
    let mut reasons = Vec::new();
    for name in surface.imports.keys() {
        let Some(provider) = import::provider(&component.links, name) else { continue };
        for mismatch in contract::unlinkable(surface, name) {
            reasons.push(format!(
                "it cannot call another component by {mismatch}: declare an `async func` that passes values"
            ));
        }
        for offered in neighbours.get(provider).into_iter().flatten() {
            for mismatch in contract::missing(surface, offered, name) {
                reasons.push(format!("`{provider}`, which answers it, does not fit: {mismatch}"));
            }
        }
    }
    reasons
}

fn unfit_for_consumers(app: &App, id: &str, surface: &Surface, neighbours: &Neighbours) -> Vec<String> {
    let mut reasons = Vec::new();
    for consumer in app.components.values().filter(|consumer| consumer.id != id) {
        for wanted in neighbours.get(&consumer.id).into_iter().flatten() {
            let linked = wanted.imports.keys().filter(|name| import::provider(&consumer.links, name) == Some(id));
            for mismatch in linked.flat_map(|name| contract::missing(wanted, surface, name)) {
                let reason = format!(
                    "`{}` calls it and would break: {mismatch}; keep what is there and add the change as a new version of the interface",
                    consumer.id
                );
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
    }
    reasons
}

fn missing_exports(app: &App, component: &Component, surface: &Surface) -> Vec<String> {
    // A private route alone is for requests within the application, beside the links that its interfaces have.
    let routed = app.routes.iter().any(|trigger| trigger.component == component.id && trigger.route != Route::Private);
    let handles = ["wasi:http/handler", "wasi:http/incoming-handler"].iter().any(|name| surface.exports_any(name));
    let on_channel = app.channels.iter().any(|trigger| trigger.component == component.id);
    let hears = surface.exports.keys().any(|name| redis_trigger::is_handler(name));
    let lacks = |export: &str| surface.provides(export).is_none();
    let rules = [
        (
            routed && !handles,
            "it has a route and does not handle requests: export wasi:http/handler@0.3.0 or wasi:http/incoming-handler@0.2",
        ),
        (
            on_channel && !hears,
            "it is on a Redis channel and does not handle messages: export spin:redis/inbound-redis@3.0.0 or fermyon:spin/inbound-redis",
        ),
        (
            !component.plaza.subscribe.is_empty() && lacks(SUBSCRIBER),
            "it subscribes to events and does not handle them: export plaza:events/subscriber@1.0.0",
        ),
        (
            component.plaza.tick_seconds.is_some() && lacks(TASK),
            "it has a tick and nothing to do at it: export plaza:schedule/task@1.0.0",
        ),
    ];
    rules.iter().filter(|(broken, _)| *broken).map(|(_, reason)| (*reason).to_owned()).collect()
}

/// What the host calls with values of other types.
fn unfit_exports(app: &App, component: &Component, surface: &Surface) -> Vec<String> {
    let on_channel = app.channels.iter().any(|trigger| trigger.component == component.id);
    let rules = [
        (!component.plaza.subscribe.is_empty(), "it cannot be handed events", called::unfit(surface, SUBSCRIBER)),
        (component.plaza.tick_seconds.is_some(), "it cannot be called by the clock", called::unfit(surface, TASK)),
        (on_channel, "it cannot be handed messages", called::unfit_for_messages(surface)),
    ];
    let broken = rules.iter().filter(|(applies, ..)| *applies);
    broken.flat_map(|(_, what, found)| found.iter().map(move |mismatch| format!("{what}: {mismatch}"))).collect()
}
