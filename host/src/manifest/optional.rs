//! Components that are served only where something uses them: one of several that offer the same, say; or only some that are asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Reading,
    app::{App, Component, Route},
};

impl Reading {
    /// Takes the optional components that nothing uses out of the application, or all that were not asked for and that nothing
    /// asked for uses, and returns their ids. What only they would read needs no value any more. What is wrong with them stays among
    /// the faults.
    pub fn leave_out_unused(&mut self) -> Vec<String> {
        let app = &mut self.app;
        let used = used(app, &self.only);
        let (kept, left_out): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut app.components).into_iter().partition(|(id, _)| used.contains(id));
        app.components = kept;
        app.routes.retain(|trigger| !left_out.contains_key(&trigger.component));
        for (name, variable) in &mut app.variables {
            let is_named = |components: &BTreeMap<String, Component>| components.values().any(|one| one.names(name));
            let is_heard = app.channels.iter().any(|trigger| trigger.names(name));
            if is_named(&left_out) && !is_named(&app.components) && !is_heard {
                variable.default.get_or_insert_default();
            }
        }
        left_out.into_keys().collect()
    }
}

/// What is asked for, or, where nothing is, what is not optional or has something to do; and what is depended on by another that is used. A private route is no use by itself:
/// who would ask there is one of the others.
fn used(app: &App, only: &[String]) -> BTreeSet<String> {
    let public = app.routes.iter().filter(|trigger| trigger.route != Route::Private);
    let listening = app.channels.iter().map(|trigger| trigger.component.as_str());
    let triggered: BTreeSet<&str> = public.map(|trigger| trigger.component.as_str()).chain(listening).collect();
    let stays = |component: &&Component| match only {
        [] => !component.plaza.optional || component.works_by_itself() || triggered.contains(component.id.as_str()),
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
