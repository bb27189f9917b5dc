//! `[component.<id>]`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Draft,
    app::{Build, Component, FileMount},
    dependency, name, plaza,
    section::{Node, Section},
    template::Template,
};

const KEYS: &[&str] = &[
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
    refuse(&section);
    let tools = section.get("tool").map(|node| node.entries()).unwrap_or_default();
    let own = tools.iter().find(|(tool, _)| tool == "plaza").map(|(_, node)| plaza::read(base, node));
    let (settings, lines) = own.unwrap_or_default();
    let component = Component {
        id: id.to_owned(),
        description: section.string("description"),
        source: read_source(base, &section).unwrap_or_default(),
        build: section.get("build").and_then(|node| read_build(&node)),
        environment: read_templates(&section, "environment", false),
        variables: read_templates(&section, "variables", true),
        files: read_files(base, &section),
        exclude_files: section.strings("exclude_files"),
        allowed_outbound_hosts: read_hosts(&section),
        links: dependency::read(id, &section, lines, &mut draft.mentions),
        plaza: settings,
    };
    if draft.components.insert(id.to_owned(), component).is_some() {
        node.fault(format!("there are two components `{id}`"), "give one of them another id");
    }
}

fn refuse(section: &Section<'_>) {
    section.refuse(
        "key_value_stores",
        "keep the data in the component's database (`[component.<id>.tool.plaza] database`)",
    );
    section.refuse("sqlite_databases", "use PostgreSQL (`[component.<id>.tool.plaza] database`)");
    section.refuse("ai_models", "call a model over HTTP and grant its address in `allowed_outbound_hosts`");
    section.refuse("allowed_http_hosts", "write each as `https://host` in `allowed_outbound_hosts`");
    section.refuse("targets", "take it out, and check the target environments with `spin build`");
    section.refuse("profile", "take the profile out; what stands in the component itself is served");
}

fn read_source(base: &Path, section: &Section<'_>) -> Option<PathBuf> {
    let node = section.require("source", "source = \"target/wasm32-wasip2/release/<name>.wasm\"")?;
    if node.is_string() {
        return Some(base.join(node.string()?));
    }
    let source = node.section(&["url", "digest", "registry", "package", "version"])?;
    let place = if source.get("url").is_some() { "a URL" } else { "a registry" };
    node.fault(
        format!("a source from {place} is not served yet"),
        "download the file and write its path: `source = \"file.wasm\"`",
    );
    None
}

fn read_build(node: &Node<'_>) -> Option<Build> {
    let section = node.section(&["command", "workdir", "watch"])?;
    let command = section.require("command", "command = \"cargo build --target wasm32-wasip2 --release\"")?;
    let commands = if command.is_list() { command.strings() } else { command.string().into_iter().collect() };
    if commands.iter().all(|command| command.trim().is_empty()) {
        command.fault(format!("`{}` is empty", command.name()), "write a command, or take `build` out");
    }
    let workdir = section.string("workdir").map(PathBuf::from).unwrap_or_default();
    Some(Build { commands, workdir, watch: section.strings("watch") })
}

fn read_templates(section: &Section<'_>, key: &str, are_variables: bool) -> BTreeMap<String, Template> {
    let mut templates = BTreeMap::new();
    for (name, node) in section.get(key).map(|node| node.entries()).unwrap_or_default() {
        if are_variables && !name::is_variable(&name) {
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

fn read_hosts(section: &Section<'_>) -> Vec<Template> {
    let entries = section.get("allowed_outbound_hosts").map(|node| node.list()).unwrap_or_default();
    entries.iter().filter_map(read_template).collect()
}

fn read_template(node: &Node<'_>) -> Option<Template> {
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
        return Some(FileMount::Pattern(pattern));
    }
    let section = node.section(&["source", "destination"])?;
    let source = section.require("source", "source = \"folder\"").and_then(|node| node.string());
    let destination = section.require("destination", "destination = \"/\"")?;
    let path = destination.string()?;
    if !path.starts_with('/') || path.split('/').any(|part| part == "..") {
        destination.fault(format!("`{path}` is no absolute path"), "start it with `/`, without `..`");
        return None;
    }
    Some(FileMount::Placement { source: base.join(source?), destination: path })
}
