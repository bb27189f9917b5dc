//! The manifest: `spin.toml` becomes an [`App`]. Pure: it reads the file and nothing else.
//!
//! [`load`] is what most callers want. [`read`] keeps what could be understood beside the faults, for `plaza check`, which
//! goes on to the components, and for `plaza up --build`, which asks for [`Reading::missing_files`] only once it has built them.

pub mod app;
mod channel;
mod component;
pub(crate) mod dependency;
mod download;
mod fault;
mod given;
pub mod grant;
pub mod import;
mod lines;
mod meaning;
mod middleware;
mod name;
mod optional;
mod outbound;
mod plaza;
mod presence;
mod profile;
pub mod runtime_config;
mod section;
mod static_response;
mod targets;
pub mod template;
pub(crate) mod trigger;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

pub use self::{app::App, fault::Fault, given::Given, lines::Lines, name::did_you_mean};
use self::{
    app::{ChannelTrigger, Component, Generate, RouteTrigger, StaticRoute, Variable},
    lines::Starts,
    section::{Document, Node, Section},
    template::Template,
};
use crate::limits::ComponentLimits;

/// Reads a manifest; refuses it with every fault it has. Whether the files it names exist is not asked here.
pub fn load(source: &Source) -> Result<App, Vec<Fault>> {
    read(source).into_app()
}

/// Which manifest, which of its build profiles, and what is said beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub file: PathBuf,
    /// The profile, whose components have some things in place of their own.
    pub profile: Option<String>,
    /// What is said beside it.
    pub given: Given,
}

impl Source {
    /// A manifest as it is.
    pub fn plain(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), profile: None, given: Given::default() }
    }
}

/// What a manifest says, as far as it can be understood, and what is wrong with it.
#[derive(Debug)]
pub struct Reading {
    /// The application, without what was faulty.
    pub app: App,
    /// Where its keys stand.
    pub lines: Lines,
    /// In the order of their lines.
    pub faults: Vec<Fault>,
    /// The manifest, as the user named it.
    file: PathBuf,
    /// The components that are asked for; all where it is empty.
    only: Vec<String>,
    draft: Draft,
}

/// What is needed to judge an application and is no part of it.
#[derive(Debug, Default)]
struct Draft {
    variables: BTreeMap<String, Variable>,
    generate: BTreeMap<String, Generate>,
    /// With the line of each.
    routes: Vec<(usize, RouteTrigger)>,
    /// With the line of each.
    static_routes: Vec<(usize, StaticRoute)>,
    /// With the line of each.
    channels: Vec<(usize, ChannelTrigger)>,
    /// What stands around the component of each HTTP trigger that has one, in the manifest's order.
    layers: Vec<middleware::Layers>,
    components: BTreeMap<String, Component>,
    /// Every component that a trigger names, whether or not the rest of that can be read.
    triggered: BTreeSet<String>,
    /// Every mention of a component in another's dependencies, whichever line counts in the end.
    mentions: Vec<Mention>,
    /// Every `id` of a trigger.
    trigger_ids: BTreeSet<String>,
    /// What goes before every path of a route.
    base_path: String,
    /// Where channels are of which the trigger does not say it.
    redis_address: Option<Template>,
    /// The profile that is asked for, and those that there are.
    profile: Option<String>,
    profiles: BTreeSet<String>,
    /// The limits of a component of which the manifest says nothing.
    limits: ComponentLimits,
    /// Kind and number of the trigger and id, of components written into their trigger.
    inline: Vec<(&'static str, String, String)>,
}

/// A component named in another's dependencies.
#[derive(Debug)]
struct Mention {
    consumer: String,
    key: String,
    provider: String,
    line: usize,
}

impl Reading {
    /// The application, if nothing is wrong with it.
    pub fn into_app(self) -> Result<App, Vec<Fault>> {
        if self.faults.is_empty() { Ok(self.app) } else { Err(self.faults) }
    }

    /// A fault at a key of a component.
    pub fn fault(&self, component: &str, key: &[&str], message: impl Into<String>, remedy: impl Into<String>) -> Fault {
        let path: Vec<&str> = ["component", component].into_iter().chain(key.iter().copied()).collect();
        Fault::new(&self.file, self.lines.of(&path), message, remedy)
    }

    /// The manifest, as the user named it.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

/// Reads a manifest and keeps both what it says and what is wrong with it.
pub fn read(source: &Source) -> Reading {
    let path = source.file.as_path();
    let mut reading = Reading {
        app: empty_app(path),
        lines: Lines::default(),
        faults: Vec::new(),
        file: path.to_owned(),
        only: Vec::new(),
        draft: Draft { profile: source.profile.clone(), limits: source.given.limits.clone(), ..Draft::default() },
    };
    match std::fs::read_to_string(path) {
        Ok(text) => {
            reading.parse(&text);
            reading.add(&source.given);
        }
        Err(error) => {
            let remedy = "start `plaza` in the folder of a spin.toml, or name one with `-f`";
            reading.faults.push(Fault::new(path, None, format!("cannot be read: {error}"), remedy));
        }
    }
    reading
}

impl Reading {
    fn parse(&mut self, text: &str) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let starts = Starts::of(text);
        if !errors.is_empty() {
            self.faults = syntax_faults(&self.file, &starts, &errors);
            return;
        }
        self.lines = Lines::read(text, table.get_ref());
        let document = Document { file: &self.file, starts, faults: RefCell::default() };
        let root = DeValue::Table(table.into_inner());
        let app = &mut self.app;
        if let Some(root) = Node::root(&document, &root).section(TOP) {
            read_root(&root, app, &mut self.draft);
        }
        self.faults = document.faults.into_inner();
        for (kind, trigger, id) in &self.draft.inline {
            self.lines.graft(&["trigger", kind, trigger, "component"], &["component", id]);
        }
        self.finish();
    }

    fn finish(&mut self) {
        let draft = &mut self.draft;
        self.app.variables = std::mem::take(&mut draft.variables);
        self.app.generate = std::mem::take(&mut draft.generate);
        self.app.components = std::mem::take(&mut draft.components);
        middleware::place(self);
        dependency::find_files(&mut self.app.components);
        let draft = &mut self.draft;
        self.app.routes = draft.routes.iter().map(|(_, trigger)| trigger.clone()).collect();
        self.app.static_routes = draft.static_routes.iter().map(|(_, route)| route.clone()).collect();
        self.app.channels = draft.channels.iter().map(|(_, trigger)| trigger.clone()).collect();
        let unknown = profile::unknown(draft).map(|(message, remedy)| Fault::new(&self.file, None, message, remedy));
        self.faults.extend(unknown);
        let found = meaning::faults(self);
        self.faults.extend(found);
        self.faults.sort_by_key(|fault| fault.line);
    }
}

/// Where a file is no TOML.
fn syntax_faults(file: &Path, starts: &Starts, errors: &[toml::de::Error]) -> Vec<Fault> {
    let fault = |error: &toml::de::Error| {
        let line = error.span().map(|span| starts.line(span.start));
        let message = format!("is no TOML: {}", error.message());
        Fault::new(file, line, message, "mend the syntax; https://toml.io shows it")
    };
    errors.iter().map(fault).collect()
}

const TOP: &[&str] = &["spin_manifest_version", "application", "variables", "trigger", "component"];
const APPLICATION: &[&str] = &["name", "version", "description", "authors", "targets", "trigger", "tool"];
const VARIABLE: &[&str] = &["default", "required", "secret", "description"];

fn read_root(root: &Section<'_>, app: &mut App, draft: &mut Draft) {
    read_version(root);
    if let Some(section) = root.require("application", "[application]").and_then(|node| node.section(APPLICATION)) {
        read_application(&section, app, draft);
    }
    for (name, node) in root.get("variables").map(|node| node.entries()).unwrap_or_default() {
        if let Some(variable) = read_variable(&name, &node) {
            draft.variables.insert(name, variable);
        }
    }
    let base = app.base().to_owned();
    for (id, node) in root.get("component").map(|node| node.entries()).unwrap_or_default() {
        component::read(&base, &id, &node, draft);
    }
    if let Some(node) = root.get("trigger") {
        trigger::read(&base, &node, draft);
    }
}

fn read_version(root: &Section<'_>) {
    let Some(node) = root.require("spin_manifest_version", "spin_manifest_version = 2") else {
        return;
    };
    if node.is_string() {
        node.fault("this is a manifest of version 1", "`spin doctor` turns it into version 2");
    } else {
        node.number(2, 2);
    }
}

fn read_application(section: &Section<'_>, app: &mut App, draft: &mut Draft) {
    if let Some(node) = section.require("name", "name = \"my-application\"") {
        app.name = node.string().unwrap_or_default();
        if node.is_empty() {
            node.fault("the application's name is empty", "give it one, such as `name = \"my-application\"`");
        }
    }
    app.version = section.string("version");
    app.description = section.string("description");
    section.strings("authors");
    targets::read(section);
    if let Some(triggers) = section.get("trigger").and_then(|node| node.section(trigger::KINDS)) {
        trigger::read_globals(&triggers, draft);
    }
    for (tool, node) in section.get("tool").map(|node| node.entries()).unwrap_or_default() {
        if tool == "plaza" {
            draft.generate = plaza::read_generate(&node);
        }
    }
}

fn read_variable(name: &str, node: &Node<'_>) -> Option<Variable> {
    if !name::is_variable(name) {
        node.fault(
            format!("`{name}` is no name for a variable"),
            "use small letters, digits and single underscores, and start with a letter",
        );
    }
    let section = node.section(VARIABLE)?;
    let default = section.get("default");
    let required = section.get("required").and_then(|required| required.boolean());
    section.string("description");
    match (&default, required) {
        (Some(_), Some(true)) => node.fault(
            format!("the variable `{name}` is required and has a default"),
            "keep one of the two: with a default it is never missing",
        ),
        (None, None | Some(false)) => node.fault(
            format!("the variable `{name}` has neither a default nor `required = true`"),
            "add `default = \"…\"`, or `required = true` where somebody has to set it",
        ),
        _ => {}
    }
    Some(Variable {
        default: default.and_then(|default| default.string()),
        secret: section.get("secret").and_then(|secret| secret.boolean()).unwrap_or_default(),
    })
}

fn empty_app(path: &Path) -> App {
    // So that the folder around it has a name, and can be a command's working folder.
    let bare = path.parent().is_some_and(|parent| parent.as_os_str().is_empty());
    App {
        name: String::new(),
        version: None,
        description: None,
        manifest: if bare { Path::new(".").join(path) } else { path.to_owned() },
        variables: BTreeMap::new(),
        generate: BTreeMap::new(),
        routes: Vec::new(),
        static_routes: Vec::new(),
        channels: Vec::new(),
        components: BTreeMap::new(),
    }
}

#[cfg(test)]
mod keys;
#[cfg(test)]
mod tests;
