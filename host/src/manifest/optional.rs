//! Components that are not served: those that nothing uses, as under Spin, be it one of several that offer the same, say, or one that is
//! there to be composed into others; or all but some that are asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Reading,
    app::{Component, Route},
};

impl Reading {
    /// Takes out of the application the components that nothing uses, and returns their ids, and those that are
    /// nothing but a part of others; or all that were not asked for and that nothing asked for uses. What only they would read needs
    /// no value any more, and what those that are left require has no default. What is wrong with them stays among the faults.
    pub fn leave_out_unused(&mut self) -> Vec<String> {
        let stays = |component: &Component| match self.only.as_slice() {
            [] => self.works(component),
            only => only.contains(&component.id),
        };
        let used = self.reached(stays, |component| component.links.values().collect());
        let left_out = self.keep(&used);
        for name in self.app.components.values().flat_map(|component| &component.plaza.requires) {
            if let Some(variable) = self.app.variables.get_mut(name) {
                variable.default = None;
            }
        }
        let parts: BTreeSet<&String> = self.app.components.values().flat_map(parts).collect();
        left_out.into_iter().filter(|id| !parts.contains(id)).collect()
    }

    /// Takes out those alone that nothing uses though the manifest does not call them optional, and returns their ids. Spin has
    /// them in its manifests, too, and ignores them, so nobody looks at them.
    pub fn leave_out_idle(&mut self) -> Vec<String> {
        let stays = |component: &Component| {
            component.plaza.optional || self.only.contains(&component.id) || self.works(component)
        };
        let used = self.reached(stays, |component| component.links.values().chain(parts(component)).collect());
        self.keep(&used)
    }

    /// Whether a component stands around others and does nothing else: what it hands requests on to is not there without them.
    pub fn is_only_middleware(&self, component: &Component) -> bool {
        let mut others = self.app.components.values();
        let around =
            |other: &Component| other.middleware.iter().any(|layer| layer.component.as_ref() == Some(&component.id));
        let links = |other: &Component| other.links.values().any(|provider| *provider == component.id);
        !self.works(component) && !self.app.components.values().any(links) && others.any(around)
    }

    /// Whether a component has something to do though no other uses it. A private route is no use by itself to one that is optional:
    /// who would ask there is one of the others. What is composed into others needs a route or a channel of its own to be served by
    /// itself.
    fn works(&self, component: &Component) -> bool {
        let id = &component.id;
        let has_trigger = || match component.plaza.optional {
            false => self.draft.triggered.contains(id),
            true => {
                let mut routes = self.app.routes.iter().filter(|trigger| trigger.route != Route::Private);
                routes.any(|trigger| trigger.component == *id)
                    || self.app.channels.iter().any(|trigger| trigger.component == *id)
            }
        };
        component.works_by_itself() || has_trigger()
    }

    /// The components that stay, and those that they need, and so on.
    fn reached(
        &self,
        stays: impl Fn(&Component) -> bool,
        needs: impl Fn(&Component) -> Vec<&String>,
    ) -> BTreeSet<String> {
        let mut waiting: Vec<&Component> = self.app.components.values().filter(|component| stays(component)).collect();
        let mut reached = BTreeSet::new();
        while let Some(component) = waiting.pop() {
            if reached.insert(component.id.clone()) {
                waiting.extend(needs(component).into_iter().filter_map(|id| self.app.components.get(id)));
            }
        }
        reached
    }

    /// Takes all other components out of the application; returns their ids.
    fn keep(&mut self, kept: &BTreeSet<String>) -> Vec<String> {
        let app = &mut self.app;
        let (kept, left_out): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut app.components).into_iter().partition(|(id, _)| kept.contains(id));
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
        left_out.into_keys().collect()
    }
}

/// The components that are composed into this one.
fn parts(component: &Component) -> impl Iterator<Item = &String> {
    component.parts().filter_map(|(_, part)| part.component.as_ref())
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
third_key = { default = "" }
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
requires = ["third_key"]
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
    fn what_a_component_requires_has_a_default_only_where_it_is_left_out() {
        for (used, default) in [("first", Some("")), ("second", None)] {
            let mut reading = using(used);
            reading.leave_out_unused();
            assert_eq!(reading.app.variables["third_key"].default.as_deref(), default, "{used}");
        }
    }

    #[test]
    fn those_that_are_asked_for_are_served_with_what_they_use_and_no_others() {
        let mut reading = using("second");
        reading.only = vec!["second".to_owned()];
        assert_eq!(reading.leave_out_unused(), ["first", "web"]);
        assert_eq!(reading.app.components.keys().collect::<Vec<_>>(), ["helper", "second"]);
        assert_eq!(reading.app.routes.iter().map(|trigger| &*trigger.component).collect::<Vec<_>>(), ["second"]);
    }
    /// `web` is served; nothing leads to `idle`, nor from elsewhere to what that uses; `part` is composed into `web`.
    const IDLE: &str = r#"
spin_manifest_version = 2
application.name = "example"
variables.key = { required = true }
trigger.http = [{ route = "/...", component = "web" }]
component.part.source = "part.wasm"
component.only-of-idle.source = "nowhere.wasm"
component.spare = { source = "spare.wasm", tool.plaza.optional = true }
[component.web]
source = "web.wasm"
dependencies = { "example:store/keeper@1.0.0" = { component = "part" } }
[component.idle]
source = "nowhere.wasm"
variables = { key = "{{ key }}" }
tool.plaza.dependencies = { "example:store/helper@1.0.0" = { component = "only-of-idle" } }
"#;

    fn idle() -> Reading {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spin.toml");
        std::fs::write(&path, IDLE).unwrap();
        read(&Source::plain(path))
    }

    #[test]
    fn a_component_that_nothing_uses_is_no_fault_and_is_left_out_with_what_it_alone_uses() {
        let mut reading = idle();
        assert_eq!(reading.leave_out_unused(), ["idle", "only-of-idle", "spare"]);
        let app = reading.into_app().unwrap();
        assert_eq!(app.components.keys().collect::<Vec<_>>(), ["web"]);
        assert_eq!(app.variables["key"].default.as_deref(), Some(""));
    }

    #[test]
    fn what_is_optional_or_a_part_is_looked_at_though_it_is_not_served_and_what_is_idle_is_not() {
        let mut reading = idle();
        assert_eq!(reading.leave_out_idle(), ["idle", "only-of-idle"]);
        assert_eq!(reading.app.components.keys().collect::<Vec<_>>(), ["part", "spare", "web"]);
        assert_eq!(reading.leave_out_unused(), ["spare"]);
    }

    #[test]
    fn an_idle_component_is_served_where_it_is_asked_for() {
        let mut reading = idle();
        reading.only = vec!["idle".to_owned()];
        assert_eq!(reading.leave_out_idle(), [] as [String; 0]);
        assert_eq!(reading.leave_out_unused(), ["part", "spare", "web"]);
    }
}
