//! `[component.<id>.dependencies]` and the same under `tool.plaza`: what is composed in for an import, and who is linked to it. Also
//! what all parts of a component have in common, middleware among them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Mention,
    app::{Component, Composed, Download, Inherit},
    download, import, name,
    profile::Profiles,
    section::{Node, Section},
};

pub(super) const KEYS: &[&str] =
    &["component", "path", "url", "digest", "version", "registry", "package", "export", "inherit_configuration"];

/// What a component that is composed into another can get of the other's. Its own it cannot have there.
pub(crate) const INHERITABLE: &[&str] = &[
    "ai_models",
    "allowed_outbound_hosts",
    "environment",
    "files",
    "key_value_stores",
    "sqlite_databases",
    "variables",
];

/// A line of `tool.plaza.dependencies`: import, component, line.
pub(super) type PlazaLine = (String, String, usize);

/// The dependencies of a component, by import.
pub(super) struct Dependencies {
    /// Who is linked: Plaza's own lines.
    pub(super) links: BTreeMap<String, String>,
    /// What is composed in: Spin's lines, where Plaza has none for that import.
    pub(super) composed: BTreeMap<String, Composed>,
    /// Spin's lines, where Plaza has one.
    pub(super) under_spin: BTreeMap<String, Composed>,
}

/// Reads both; `mentions` gets every component that is named, whichever line counts in the end.
pub(super) fn read(
    base: &Path,
    consumer: &str,
    section: &Section<'_>,
    profiles: &Profiles<'_>,
    own: Vec<PlazaLine>,
    mentions: &mut Vec<Mention>,
) -> Dependencies {
    let all = section.get("dependencies_inherit_configuration").and_then(|node| node.boolean()).unwrap_or_default();
    let mut mention = |key: &str, provider: &str, line| {
        let (consumer, key, provider) = (consumer.to_owned(), key.to_owned(), provider.to_owned());
        mentions.push(Mention { consumer, key, provider, line });
    };
    let (mut links, mut composed, mut under_spin) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (key, provider, line) in &own {
        mention(key, provider, *line);
        links.insert(key.clone(), provider.clone());
    }
    for (key, node) in profiles.entries(section, "dependencies") {
        if !import::is_plain(&key) {
            check_key(&key, &node);
        }
        let replaced = own.iter().any(|(plaza, ..)| import::covers(plaza, &key));
        if let Some(read) = read_spin(base, &key, &node, all, replaced) {
            if let Some(provider) = &read.component {
                mention(&key, provider, node.line());
            }
            if replaced {
                under_spin.insert(key, read)
            } else {
                composed.insert(key, read)
            };
        }
    }
    Dependencies { links, composed, under_spin }
}

/// `[component.<id>.tool.plaza.dependencies]`.
pub(super) fn read_plaza(node: &Node<'_>) -> Vec<PlazaLine> {
    let mut lines = Vec::new();
    for (key, node) in node.entries() {
        check_key(&key, &node);
        let provider = node
            .section(&["component"])
            .and_then(|section| section.require("component", "component = \"<id>\"")?.string());
        lines.extend(provider.map(|provider| (key, provider, node.line())));
    }
    lines
}

/// Names the files of those dependencies that are components of the application.
pub(super) fn find_files(components: &mut BTreeMap<String, Component>) {
    let sources: BTreeMap<String, _> = components.iter().map(|(id, one)| (id.clone(), one.source.clone())).collect();
    let all = components.values_mut();
    let parts = all.flat_map(|component| {
        let dependencies = component.composed.values_mut().chain(component.under_spin.values_mut());
        dependencies.chain(&mut component.middleware)
    });
    for dependency in parts {
        if let Some(source) = dependency.component.as_ref().and_then(|id| sources.get(id)) {
            dependency.file = source.clone();
        }
    }
}

fn check_key(key: &str, node: &Node<'_>) {
    if !import::is_key(key) {
        node.fault(
            format!("`{key}` names no import"),
            "write it as the component imports it: `namespace:package/interface@1.0.0`, or `namespace:package`",
        );
    }
}

/// A Spin line: a component, a file, or something that is fetched. What cannot be is no fault where Plaza's own line stands in for this one.
fn read_spin(base: &Path, key: &str, node: &Node<'_>, all: bool, replaced: bool) -> Option<Composed> {
    if node.is_string() {
        if replaced {
            return None;
        }
        let found = download::read_versions(node, key)?;
        let (file, inherit) = (base.join(found.file()), all_or_nothing(all));
        return Some(Composed { component: None, file, download: Some(found), export: None, inherit });
    }
    let section = node.section(KEYS)?;
    read_part(base, &section, all, || match section.get("url") {
        Some(_) => download::read_url(&section),
        None if replaced && section.get("registry").is_none() => None,
        None => download::read_dependency(&section, key),
    })
}

/// A part that is written as a table; `fetched` says what is fetched where it names neither a component nor a file.
pub(super) fn read_part(
    base: &Path,
    section: &Section<'_>,
    all: bool,
    fetched: impl FnOnce() -> Option<Download>,
) -> Option<Composed> {
    let inherit = read_inherit(section, all);
    let export = section.string("export");
    if let Some(component) = section.get("component") {
        // Its file is known once all components are read.
        let (component, file) = (Some(component.string()?), PathBuf::new());
        return Some(Composed { component, file, download: None, export, inherit });
    }
    if let Some(path) = section.get("path") {
        return Some(Composed { component: None, file: base.join(path.string()?), download: None, export, inherit });
    }
    let found = fetched()?;
    Some(Composed { component: None, file: base.join(found.file()), download: Some(found), export, inherit })
}

fn all_or_nothing(all: bool) -> Inherit {
    if all { Inherit::All } else { Inherit::These(Vec::new()) }
}

/// What the line says, else what the component says for all its dependencies.
fn read_inherit(section: &Section<'_>, all: bool) -> Inherit {
    let Some(node) = section.get("inherit_configuration") else {
        return all_or_nothing(all);
    };
    if !node.is_list() {
        return all_or_nothing(node.boolean().unwrap_or_default());
    }
    let mut keys = Vec::new();
    for entry in node.list() {
        let Some(key) = entry.string() else { continue };
        if INHERITABLE.contains(&key.as_str()) {
            keys.push(key);
        } else {
            entry
                .fault(format!("`{key}` is nothing to inherit"), name::did_you_mean(&key, INHERITABLE.iter().copied()));
        }
    }
    Inherit::These(keys)
}
