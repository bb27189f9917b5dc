//! `[component.<id>.dependencies]` and the same under `tool.plaza`: who provides an import.

use std::collections::BTreeMap;

use super::{
    Mention, import, name,
    profile::Profiles,
    section::{Node, Section},
};

pub(super) const KEYS: &[&str] =
    &["component", "path", "url", "digest", "version", "registry", "package", "export", "inherit_configuration"];
const INHERITABLE: &[&str] = &[
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

/// The links of a component: Plaza's own lines, and Spin's where Plaza has none for that import.
pub(super) fn read(
    consumer: &str,
    section: &Section<'_>,
    profiles: &Profiles<'_>,
    own: Vec<PlazaLine>,
    mentions: &mut Vec<Mention>,
) -> BTreeMap<String, String> {
    if let Some(node) = section.get("dependencies_inherit_configuration") {
        // Each component keeps its own grants behind a link, so there is nothing to inherit.
        node.boolean();
    }
    let mention = |key: &str, provider: &str, line| Mention {
        consumer: consumer.to_owned(),
        key: key.to_owned(),
        provider: provider.to_owned(),
        line,
    };
    let mut links = BTreeMap::new();
    for (key, provider, line) in &own {
        mentions.push(mention(key, provider, *line));
        links.insert(key.clone(), provider.clone());
    }
    for (key, node) in profiles.entries(section, "dependencies") {
        check_key(&key, &node);
        let replaced = own.iter().any(|(plaza, ..)| import::covers(plaza, &key));
        if let Some(provider) = read_spin(&key, &node, replaced) {
            mentions.push(mention(&key, &provider, node.line()));
            if !replaced {
                links.insert(key, provider);
            }
        }
    }
    links
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

fn check_key(key: &str, node: &Node<'_>) {
    if !import::is_key(key) {
        node.fault(
            format!("`{key}` names no import"),
            "write it as the component imports it: `namespace:package/interface@1.0.0`, or `namespace:package`",
        );
    }
}

/// A Spin line: the component it names. The other forms are refused, unless Plaza's own line stands in for this one.
fn read_spin(key: &str, node: &Node<'_>, replaced: bool) -> Option<String> {
    if node.is_string() {
        if !replaced {
            refuse(node, "a registry");
        }
        return None;
    }
    let section = node.section(KEYS)?;
    read_inherit(&section);
    if let Some(component) = section.get("component") {
        if let Some(export) =
            section.get("export").filter(|export| !replaced && export.string().is_some_and(|name| name != key))
        {
            export.fault(
                "an `export` of another name is not served yet",
                "let the provider export the interface under the import's name",
            );
        }
        return component.string();
    }
    if !replaced {
        let place = if section.get("path").is_some() {
            "a file"
        } else if section.get("url").is_some() {
            "a URL"
        } else {
            "a registry"
        };
        refuse(node, place);
    }
    None
}

fn refuse(node: &Node<'_>, place: &str) {
    node.fault(
        format!("a dependency from {place} is not served yet"),
        "make it a component of this application and write `{ component = \"<id>\" }`, here or under `tool.plaza.dependencies`",
    );
}

fn read_inherit(section: &Section<'_>) {
    let Some(node) = section.get("inherit_configuration") else {
        return;
    };
    if !node.is_list() {
        node.boolean();
        return;
    }
    for entry in node.list() {
        if let Some(key) = entry.string().filter(|key| !INHERITABLE.contains(&key.as_str())) {
            entry
                .fault(format!("`{key}` is nothing to inherit"), name::did_you_mean(&key, INHERITABLE.iter().copied()));
        }
    }
}
