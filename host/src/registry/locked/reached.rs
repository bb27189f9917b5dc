//! What of a locked application is served: the components that something reaches, under names that a manifest takes.
//!
//! Spin composes when it pushes. What it has composed for a trigger stands beside what it was made of, under a name that is made of the
//! names of both, `<component>-for-<trigger>`; and what was composed into others still stands there, though nothing leads to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Locked, LockedComponent, PLAZA};

impl Locked {
    /// Leaves out the components that nothing leads to, and gives those another name that have one which no manifest takes.
    pub fn reached(mut self) -> Self {
        let named = self.named();
        self.components.retain(|component| named.contains(component.id.as_str()) || component.has_own_settings());
        let names = self.names();
        for component in &mut self.components {
            component.id = renamed(&names, &component.id);
            for id in component.components_mut() {
                if let Value::String(id) = id {
                    *id = renamed(&names, id);
                }
            }
        }
        for trigger in &mut self.triggers {
            if let Some(Value::String(id)) = trigger.trigger_config.get_mut("component") {
                *id = renamed(&names, id);
            }
        }
        self
    }

    /// The components that a trigger names, or another component.
    fn named(&self) -> BTreeSet<String> {
        let triggers = self.triggers.iter().filter_map(|trigger| trigger.trigger_config.get("component")?.as_str());
        let others = self.components.iter().flat_map(LockedComponent::components);
        triggers.chain(others).map(str::to_owned).collect()
    }

    /// A new name for each that needs one.
    fn names(&self) -> BTreeMap<String, String> {
        let mut taken: BTreeSet<String> = self.components.iter().map(|component| component.id.clone()).collect();
        let mut names = BTreeMap::new();
        for id in taken.clone() {
            let Some(plain) = plain(&id).filter(|plain| *plain != id) else { continue };
            let mut name = plain.clone();
            let mut number = 1;
            while !taken.insert(name.clone()) {
                number += 1;
                name = format!("{plain}-{number}");
            }
            names.insert(id, name);
        }
        names
    }
}

impl LockedComponent {
    /// Whether it has something that only this host knows, so that this host has pushed it and found a use for it.
    fn has_own_settings(&self) -> bool {
        self.metadata.get(PLAZA).and_then(|plaza| plaza.get("tool")).is_some()
    }

    /// The components that it names.
    fn components(&self) -> impl Iterator<Item = &str> {
        let plaza = self.metadata.get(PLAZA);
        let composed =
            plaza.and_then(|plaza| plaza.get("components")?.as_object()).into_iter().flat_map(|all| all.values());
        let linked = plaza.and_then(|plaza| plaza.get("tool")?.get("dependencies")?.as_object()).into_iter();
        let linked = linked.flat_map(|all| all.values()).filter_map(|line| line.get("component"));
        composed.chain(linked).filter_map(Value::as_str)
    }

    /// The same, to be changed.
    fn components_mut(&mut self) -> Vec<&mut Value> {
        let Some(Value::Object(plaza)) = self.metadata.get_mut(PLAZA) else { return Vec::new() };
        let mut found = Vec::new();
        for (key, value) in plaza.iter_mut() {
            match key.as_str() {
                "components" => found.extend(value.as_object_mut().into_iter().flat_map(|all| all.values_mut())),
                "tool" => {
                    let lines = value.get_mut("dependencies").and_then(Value::as_object_mut);
                    let lines = lines.into_iter().flat_map(|all| all.values_mut());
                    found.extend(lines.filter_map(|line| line.get_mut("component")));
                }
                _ => {}
            }
        }
        found
    }
}

fn renamed(names: &BTreeMap<String, String>, id: &str) -> String {
    names.get(id).map_or_else(|| id.to_owned(), String::clone)
}

/// The words of a name, joined as a component's id has them; `None` where it has something between them that leads elsewhere.
fn plain(id: &str) -> Option<String> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
        return None;
    }
    let words = id.split(['-', '_', '.']).filter(|word| !word.is_empty()).map(|word| {
        let is_mixed =
            word.bytes().any(|byte| byte.is_ascii_lowercase()) && word.bytes().any(|byte| byte.is_ascii_uppercase());
        if is_mixed { word.to_ascii_lowercase() } else { word.to_owned() }
    });
    let name = words.collect::<Vec<_>>().join("-");
    Some(name).filter(|name| !name.is_empty())
}
