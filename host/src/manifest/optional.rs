//! Components that are served only where something uses them: one of several that offer the same, say, or one that is there to be
//! composed into others; or only some that are asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Reading,
    app::{App, Component, Route},
};

impl Reading {
    /// Takes out of the application the optional components that nothing uses, and returns their ids, and those that are
    /// nothing but a part of others; or all that were not asked for and that nothing asked for uses. What only they would read needs
    /// no value any more. What is wrong with them stays among the faults.
    pub fn leave_out_unused(&mut self) -> Vec<String> {
        let app = &mut self.app;
        let used = used(app, &self.only);
        let (kept, left_out): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut app.components).into_iter().partition(|(id, _)| used.contains(id));
        app.components = kept;
        app.routes.retain(|trigger| !left_out.contains_key(&trigger.component));
        app.channels.retain(|trigger| !left_out.contains_key(&trigger.component));
        for (name, variable) in &mut app.variables {
            let is_named = |components: &BTreeMap<String, Component>| components.values().any(|one| one.names(name));
            let is_heard = app.channels.iter().any(|trigger| trigger.names(name));
            if is_named(&left_out) && !is_named(&app.components) && !is_heard {
                variable.default.get_or_insert_default();
            }
        }
        let parts = parts(&app.components);
        left_out.into_keys().filter(|id| !parts.contains(id.as_str())).collect()
    }
}

/// The components that are composed into one of these.
fn parts(components: &BTreeMap<String, Component>) -> BTreeSet<&str> {
    let dependencies = components.values().flat_map(|component| component.composed.values());
    dependencies.filter_map(|dependency| dependency.component.as_deref()).collect()
}

/// What is asked for, or, where nothing is, what is not optional or has something to do; and what is linked to another that is used.
/// A private route is no use by itself: who would ask there is one of the others. What is composed into others needs a route or a
/// channel of its own to be served by itself.
fn used(app: &App, only: &[String]) -> BTreeSet<String> {
    let triggered = |component: &Component, private: bool| {
        let mut routes = app.routes.iter().filter(|trigger| trigger.component == component.id);
        let mut channels = app.channels.iter();
        routes.any(|trigger| private || trigger.route != Route::Private)
            || channels.any(|trigger| trigger.component == component.id)
    };
    let parts = parts(&app.components);
    let works = |component: &Component| {
        let is_part = parts.contains(component.id.as_str()) && !triggered(component, true);
        let is_asked_for = !component.plaza.optional && !is_part;
        is_asked_for || component.works_by_itself() || triggered(component, false)
    };
    let stays = |component: &&Component| match only {
        [] => works(component),
        only => only.contains(&component.id),
    };
    let mut waiting: Vec<&Component> = app.components.values().filter(stays).collect();
    let mut used = BTreeSet::new();
    while let Some(component) = waiting.pop() {
        if used.insert(component.id.clone()) {
            waiting.extend(component.links.values().filter_map(|provider| app.components.get(provider)));
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use crate::manifest::{Reading, Source, read};

    /// Two interchangeable components, of which `web` uses the one that is put in for `{used}`; the second has a helper.
    const INTERCHANGEABLE: &str = r#"
spin_manifest_version = 2
[application]
name = "example"
[variables]
first_key = { required = true }
second_key = { required = true }
[[trigger.http]]
route = "/..."
component = "web"
[component.web]
source = "web.wasm"
[component.web.tool.plaza.dependencies]
"example:store/keeper@1.0.0" = { component = "{used}" }
[component.first]
source = "first.wasm"
variables = { key = "{{ first_key }}" }
tool.plaza.optional = true
[[trigger.http]]
route = { private = true }
component = "second"
[component.second]
source = "second.wasm"
variables = { key = "{{ second_key }}" }
[component.second.tool.plaza]
optional = true
dependencies = { "example:store/helper@1.0.0" = { component = "helper" } }
[component.helper]
source = "helper.wasm"
allowed_outbound_hosts = ["https://{{ second_key }}"]
tool.plaza.optional = true
"#;

    fn using(used: &str) -> Reading {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spin.toml");
        std::fs::write(&path, INTERCHANGEABLE.replace("{used}", used)).unwrap();
        read(&Source::plain(path))
    }

    #[test]
    fn an_optional_component_that_nothing_uses_is_no_fault_and_is_left_out() {
        let mut reading = using("first");
        assert_eq!(reading.leave_out_unused(), ["helper", "second"]);
        let app = reading.into_app().unwrap();
        assert_eq!(app.components.keys().collect::<Vec<_>>(), ["first", "web"]);
        assert_eq!(app.routes.iter().map(|trigger| &*trigger.component).collect::<Vec<_>>(), ["web"]);
    }

    #[test]
    fn an_optional_component_that_is_used_is_served_with_all_that_it_uses() {
        let mut reading = using("second");
        assert_eq!(reading.leave_out_unused(), ["first"]);
        assert_eq!(reading.app.components.keys().collect::<Vec<_>>(), ["helper", "second", "web"]);
    }

    #[test]
    fn a_component_that_is_composed_into_others_is_served_where_it_has_a_route() {
        let text = r#"
spin_manifest_version = 2
application.name = "example"
trigger.http = [{ route = "/...", component = "web" }, { route = { private = true }, component = "asked" }]
component.part.source = "part.wasm"
component.asked.source = "asked.wasm"
[component.web]
source = "web.wasm"
[component.web.dependencies]
"example:store/keeper@1.0.0" = { component = "part" }
"example:other/keeper@1.0.0" = { component = "asked" }
"#;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spin.toml");
        std::fs::write(&path, text).unwrap();
        let mut reading = read(&Source::plain(&path));
        assert_eq!(reading.leave_out_unused(), [] as [String; 0], "it is used");
        let app = reading.into_app().unwrap();
        assert_eq!(app.components.keys().collect::<Vec<_>>(), ["asked", "web"]);
        assert_eq!(app.components["web"].composed["example:store/keeper@1.0.0"].file, folder.path().join("part.wasm"));
    }

    #[test]
    fn what_only_components_left_out_would_read_needs_no_value() {
        let mut reading = using("first");
        reading.leave_out_unused();
        assert_eq!(reading.app.variables["first_key"].default, None);
        assert_eq!(reading.app.variables["second_key"].default.as_deref(), Some(""));
    }

    #[test]
    fn those_that_are_asked_for_are_served_with_what_they_use_and_no_others() {
        let mut reading = using("second");
        reading.only = vec!["second".to_owned()];
        assert_eq!(reading.leave_out_unused(), ["first", "web"]);
        assert_eq!(reading.app.components.keys().collect::<Vec<_>>(), ["helper", "second"]);
        assert_eq!(reading.app.routes.iter().map(|trigger| &*trigger.component).collect::<Vec<_>>(), ["second"]);
    }
}
