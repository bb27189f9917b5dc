//! `[component.<id>]`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Draft,
    app::{Build, Component, Download, FileMount, PlazaSettings},
    dependency::{self, Dependencies},
    download, name, outbound, plaza,
    profile::Profiles,
    section::{Node, Section},
    targets,
    template::Template,
};

pub(super) const KEYS: &[&str] = &[
    "source",
    "description",
    "variables",
    "environment",
    "files",
    "exclude_files",
    "allowed_http_hosts",
    "allowed_outbound_hosts",
    "key_value_stores",
    "sqlite_databases",
    "ai_models",
    "targets",
    "build",
    "tool",
    "dependencies_inherit_configuration",
    "dependencies",
    "profile",
];

/// The keys of `build`.
pub(super) const BUILD: &[&str] = &["command", "workdir", "watch"];

/// Reads a component and puts it into the draft.
pub(super) fn read(base: &Path, id: &str, node: &Node<'_>, draft: &mut Draft) {
    if !name::is_component(id) {
        node.fault(
            format!("`{id}` is no id for a component"),
            "use small letters and digits joined by `-`, and start with a letter",
        );
    }
    let Some(section) = node.section(KEYS) else {
        return;
    };
    section.refuse("ai_models", "call a model over HTTP and grant its address in `allowed_outbound_hosts`");
    targets::read(&section);
    let profiles = Profiles::read(&section, draft);
    let tools = section.get("tool").map(|node| node.entries()).unwrap_or_default();
    let own = tools.iter().find(|(tool, _)| tool == "plaza");
    let own = own.map(|(_, node)| plaza::read(base, &draft.limits, node));
    let without = || (PlazaSettings { limits: draft.limits.clone(), ..PlazaSettings::default() }, Vec::new());
    let (settings, lines) = own.unwrap_or_else(without);
    let Dependencies { links, composed, under_spin } =
        dependency::read(base, id, &section, &profiles, lines, &mut draft.mentions);
    let (source, download) = read_source(base, &section, &profiles).unwrap_or_default();
    let component = Component {
        id: id.to_owned(),
        description: section.string("description"),
        source,
        download,
        build: section.get("build").and_then(|node| read_build(&node, &profiles)),
        environment: read_environment(profiles.entries(&section, "environment")),
        variables: read_variables(section.get("variables").map(|node| node.entries()).unwrap_or_default()),
        files: read_files(base, &section),
        exclude_files: read_excluded(&section),
        allowed_outbound_hosts: outbound::read(&section),
        key_value_stores: read_stores(&section, "key_value_stores"),
        sqlite_databases: read_stores(&section, "sqlite_databases"),
        links,
        composed,
        under_spin,
        // Triggers say it, which are read later.
        middleware: Vec::new(),
        plaza: settings,
    };
    if draft.components.insert(id.to_owned(), component).is_some() {
        node.fault(format!("there are two components `{id}`"), "give one of them another id");
    }
}

/// Its file, and what that is fetched from.
fn read_source(base: &Path, section: &Section<'_>, profiles: &Profiles<'_>) -> Option<(PathBuf, Option<Download>)> {
    let own = section.require("source", "source = \"target/wasm32-wasip2/release/<name>.wasm\"")?;
    let node = profiles.get("source").unwrap_or(own);
    if node.is_string() {
        return Some((base.join(node.string()?), None));
    }
    let source = node.section(download::KEYS)?;
    let found = match source.get("registry").or_else(|| source.get("package")) {
        Some(_) => download::read_component(&source),
        None => download::read_url(&source),
    }?;
    Some((base.join(found.file()), Some(found)))
}

fn read_build(node: &Node<'_>, profiles: &Profiles<'_>) -> Option<Build> {
    let section = node.section(BUILD)?;
    let own = section.require("command", "command = \"cargo build --target wasm32-wasip2 --release\"")?;
    let of_profile =
        profiles.get("build").and_then(|node| node.section(&["command"])?.require("command", "command = \"…\""));
    let command = of_profile.unwrap_or(own);
    let commands = if command.is_list() { command.strings() } else { command.string().into_iter().collect() };
    if commands.iter().all(|command| command.trim().is_empty()) {
        command.fault(format!("`{}` is empty", command.name()), "write a command, or take `build` out");
    }
    let workdir = section.string("workdir").map(PathBuf::from).unwrap_or_default();
    Some(Build { commands, workdir, watch: section.strings("watch") })
}

/// The values are taken as they stand, as under Spin: braces in them are braces.
fn read_environment(entries: Vec<(String, Node<'_>)>) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    for (name, node) in entries {
        if name.is_empty() || name.contains(['=', '\0']) {
            node.fault(
                format!("`{name}` is no name for an environment variable"),
                "leave out `=`, and write at least a letter",
            );
        }
        if let Some(value) = node.string() {
            environment.insert(name, value);
        }
    }
    environment
}

fn read_variables(entries: Vec<(String, Node<'_>)>) -> BTreeMap<String, Template> {
    let mut templates = BTreeMap::new();
    for (name, node) in entries {
        if !name::is_variable(&name) {
            node.fault(
                format!("`{name}` is no name for a variable"),
                "use small letters, digits and single underscores, and start with a letter",
            );
        }
        if let Some(template) = read_template(&node) {
            templates.insert(name, template);
        }
    }
    templates
}

/// Names of stores or databases, in snake case or in kebab case as under Spin.
fn read_stores(section: &Section<'_>, key: &str) -> Vec<String> {
    let mut stores: Vec<String> = Vec::new();
    for entry in section.get(key).map(|node| node.list()).unwrap_or_default() {
        let Some(store) = entry.string() else { continue };
        if !name::is_store(&store) {
            entry.fault(
                format!("`{store}` is no name for a store or a database"),
                "use letters and digits in words joined by `_` or by `-`, each in small letters or capitals alone",
            );
        } else if stores.contains(&store) {
            entry.fault(format!("`{store}` stands here twice"), "take one of them out");
        } else {
            stores.push(store);
        }
    }
    stores
}

pub(super) fn read_template(node: &Node<'_>) -> Option<Template> {
    let text = node.string()?;
    match Template::parse(&text) {
        Ok(template) => Some(template),
        Err(error) => {
            node.fault(format!("`{}` cannot be read as a template", node.name()), error.to_string());
            None
        }
    }
}

fn read_files(base: &Path, section: &Section<'_>) -> Vec<FileMount> {
    let entries = section.get("files").map(|node| node.list()).unwrap_or_default();
    entries.iter().filter_map(|entry| read_mount(base, entry)).collect()
}

fn read_excluded(section: &Section<'_>) -> Vec<String> {
    let entries = section.get("exclude_files").map(|node| node.list()).unwrap_or_default();
    let patterns = entries.iter().filter_map(|entry| Some((entry, entry.string()?)));
    patterns.filter(|(entry, pattern)| is_pattern(entry, pattern)).map(|(_, pattern)| pattern).collect()
}

fn is_pattern(node: &Node<'_>, pattern: &str) -> bool {
    let read = glob::Pattern::new(pattern);
    if let Err(error) = &read {
        let remedy = "write `[[]` for a bracket that stands for itself";
        node.fault(format!("`{pattern}` is no pattern: {}", error.msg), remedy);
    }
    read.is_ok()
}

fn read_mount(base: &Path, node: &Node<'_>) -> Option<FileMount> {
    if node.is_string() {
        let pattern = node.string()?;
        if Path::new(&pattern).is_absolute() || Path::new(&pattern).components().any(|part| part.as_os_str() == "..") {
            node.fault(
                format!("the pattern `{pattern}` leads out of the manifest's folder"),
                "write a path inside it, or `{ source = \"…\", destination = \"/…\" }`",
            );
            return None;
        }
        return is_pattern(node, &pattern).then_some(FileMount::Pattern(pattern));
    }
    let section = node.section(&["source", "destination"])?;
    let source = section.require("source", "source = \"folder\"").and_then(|node| node.string());
    let destination = section.require("destination", "destination = \"/\"")?;
    let path = destination.string()?;
    if path.split('/').any(|part| part == "..") {
        destination.fault(format!("`{path}` leads out of what the component sees"), "write a path without `..`");
        return None;
    }
    // The slash at the start goes without saying, as under Spin.
    let destination = if path.starts_with('/') { path } else { format!("/{path}") };
    Some(FileMount::Placement { source: base.join(source?), destination })
}
