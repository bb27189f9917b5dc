//! What another manifest would change. Pure: two applications in, lines for people out, and what has to be made anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{
    compose::Files,
    digest::sha256,
    limits::ComponentLimits,
    manifest::{
        App,
        app::{
            ChannelTrigger, Component, Composed, FileMount, Generate, Inherit, PlazaSettings, Route, RouteTrigger,
            StaticResponse, Variable, layer_name,
        },
        template::Template,
    },
};

/// What would change between the application that is served and the one that a manifest describes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// A line for each change.
    pub changes: Vec<String>,
    /// Components that are new.
    pub added: BTreeSet<String>,
    /// Components that are no more.
    pub removed: BTreeSet<String>,
    /// Components whose instances are given something else.
    pub remade: BTreeSet<String>,
    /// Components of which another file is named.
    pub moved: BTreeSet<String>,
    /// Components whose database has to be migrated.
    pub migrated: BTreeSet<String>,
    /// Whether events go another way.
    pub events: bool,
    /// Whether the clock has something else to do.
    pub ticks: bool,
    /// What only a restart changes.
    pub restart: Vec<String>,
}

/// Settings by name, as they are shown. What is secret is compared and not shown.
type Settings = BTreeMap<String, Setting>;

#[derive(Debug, PartialEq, Eq)]
struct Setting {
    shown: String,
    hidden: Option<String>,
}

impl Plan {
    /// Compares two applications. `outside` names the variables that the command line or the environment sets, whatever the
    /// manifest says.
    pub fn between(before: &App, after: &App, outside: &BTreeSet<String>) -> Self {
        let mut plan = Self::default();
        plan.of_the_whole(before, after, outside);
        for id in before.components.keys().filter(|id| !after.components.contains_key(*id)) {
            plan.changes.push(format!("- component `{id}`"));
            plan.removed.insert(id.clone());
        }
        for (id, component) in &after.components {
            match before.components.get(id) {
                Some(former) => {
                    plan.of_component(id, &settings(former, before), &settings(component, after));
                }
                None => {
                    plan.changes.push(format!("+ component `{id}`"));
                    plan.added.insert(id.clone());
                    plan.migrated.insert(id.clone());
                }
            }
        }
        plan.of_routes(before, after);
        plan.of_channels(before, after);
        let come_or_go = plan.added.iter().filter_map(|id| after.components.get(id));
        let come_or_go = come_or_go.chain(plan.removed.iter().filter_map(|id| before.components.get(id)));
        for PlazaSettings { outbox, subscribe, tick_seconds, .. } in come_or_go.map(|component| &component.plaza) {
            plan.events |= outbox.is_some() || !subscribe.is_empty();
            plan.ticks |= tick_seconds.is_some();
        }
        plan
    }

    /// Name, variables and what is generated.
    fn of_the_whole(&mut self, before: &App, after: &App, outside: &BTreeSet<String>) {
        if before.name != after.name {
            self.restart.push(format!("the application's name: {} → {}", before.name, after.name));
        }
        let version = |app: &App| app.version.clone().unwrap_or_else(|| "none".to_owned());
        if before.version != after.version {
            self.changes.push(format!("~ version: {} → {}", version(before), version(after)));
        }
        let variables = |app: &App| app.variables.iter().map(|(name, one)| (name.clone(), variable(one))).collect();
        for (name, from, to) in differences(&variables(before), &variables(after)) {
            let holds = if outside.contains(&name) { ", which the command line or the environment sets" } else { "" };
            self.changes.push(format!("{}{holds}", line("variable", &name, from.as_deref(), to.as_deref())));
        }
        let generated =
            |app: &App| app.generate.iter().map(|(name, kind)| (name.clone(), shown(word(*kind)))).collect();
        for (name, from, to) in differences(&generated(before), &generated(after)) {
            let change = line("generated variable", &name, from.as_deref(), to.as_deref());
            // A password is shown once, by the start that makes it.
            if after.generate.get(&name) == Some(&Generate::Password) && !outside.contains(&name) {
                self.restart.push(change.clone());
            }
            self.changes.push(change);
        }
    }

    fn of_component(&mut self, id: &str, before: &Settings, after: &Settings) {
        for (name, from, to) in differences(before, after) {
            let none = || "none".to_owned();
            let (from, to) = (from.unwrap_or_else(none), to.unwrap_or_else(none));
            self.changes.push(format!("~ component `{id}`: {name}: {from} → {to}"));
            match name.as_str() {
                SOURCE => _ = self.moved.insert(id.to_owned()),
                SUBSCRIBE => self.events = true,
                TICK => self.ticks = true,
                MIGRATIONS => _ = self.migrated.insert(id.to_owned()),
                name => {
                    self.remade.insert(id.to_owned());
                    if name == DATABASE {
                        self.migrated.insert(id.to_owned());
                    }
                    self.events |= name == DATABASE || name == OUTBOX;
                }
            }
        }
    }

    /// Adds that files hold something else that are composed into a component.
    pub fn composed_anew(&mut self, id: &str, renewed: &[PathBuf], files: &Files, app: &App) {
        for file in renewed {
            self.changes.push(format!("~ component `{id}`: {}", built_anew(file, "composed in", files, app)));
        }
        self.remade.insert(id.to_owned());
    }

    /// Adds the files that hold something else than `before` and are composed into nothing that answers, so that they are taken up as well.
    pub fn unused_anew(&mut self, before: &Files, files: &Files, app: &App) {
        for component in app.components.values().filter(|component| !self.remade.contains(&component.id)) {
            let files_of: BTreeSet<&PathBuf> = component.parts().map(|(_, one)| &one.file).collect();
            let differs = |file: &&PathBuf| before.hash(file).is_some_and(|hash| files.hash(file) != Some(hash));
            for file in files_of.into_iter().filter(differs) {
                let what = built_anew(file, "not composed into what answers", files, app);
                self.changes.push(format!("~ component `{}`: {what}", component.id));
            }
        }
    }

    /// Adds that a version is looked at again that could not be served.
    pub fn looked_at_again(&mut self, id: &str, version: &str) {
        self.changes.push(format!("~ component `{id}`: {version}, which could not be served, is looked at again"));
    }

    /// What it is recognised by, so that nothing else is applied than what was agreed to: what changes, and what the files hold that
    /// are composed in and those of the components that are new, given by SHA-256.
    pub fn digest<'a>(&self, files: &Files, added: impl Iterator<Item = &'a str>) -> String {
        let parts = files.hashes().map(|(file, hash)| format!("{} {hash}", file.display()));
        let lines = self.changes.iter().cloned().chain(parts).chain(added.map(ToOwned::to_owned));
        sha256(lines.collect::<Vec<_>>().join("\n"))
    }

    fn of_routes(&mut self, before: &App, after: &App) {
        let fixed = |response: &StaticResponse| Setting {
            shown: format!("{} {}", StaticResponse::NAME, response.status),
            hidden: Some(format!("{response:?}")),
        };
        let named = |app: &App| {
            let routes = app.routes.iter().map(|one| (path(one), shown(&one.component)));
            routes.chain(app.static_routes.iter().map(|one| (one.pattern.clone(), fixed(&one.response)))).collect()
        };
        for (name, from, to) in differences(&named(before), &named(after)) {
            self.changes.push(match (from, to) {
                (Some(from), Some(to)) => format!("~ route {name}: `{from}` → `{to}`"),
                (Some(from), None) => format!("- route {name} of `{from}`"),
                (None, to) => format!("+ route {name} of `{}`", to.unwrap_or_default()),
            });
        }
    }

    fn of_channels(&mut self, before: &App, after: &App) {
        let named = |app: &App| app.channels.iter().map(|one| (heard(one), address(one))).collect();
        for (name, from, to) in differences(&named(before), &named(after)) {
            self.changes.push(match (from, to) {
                (Some(from), Some(to)) if from == to => format!("~ channel {name}: another address"),
                (Some(from), Some(to)) => format!("~ channel {name}: {from} → {to}"),
                (Some(_), None) => format!("- channel {name}"),
                (None, to) => format!("+ channel {name}: {}", to.unwrap_or_default()),
            });
        }
    }
}

const SOURCE: &str = "source";
const SUBSCRIBE: &str = "subscribe";
const TICK: &str = "tick_seconds";
const MIGRATIONS: &str = "migrations";
const DATABASE: &str = "database";
const OUTBOX: &str = "outbox";

/// Everything of a component that makes a difference to what is served. Taken apart field by field, so that none is forgotten.
fn settings(component: &Component, app: &App) -> Settings {
    let Component { id: _, description: _, build: _, source, environment, variables, .. } = component;
    let Component { files, exclude_files, allowed_outbound_hosts, links, plaza, .. } = component;
    let Component { key_value_stores, sqlite_databases, composed, middleware, .. } = component;
    let PlazaSettings { database, migrations, outbox, subscribe, tick_seconds, optional: _, requires: _, limits } =
        plaza;
    let mut settings = Settings::new();
    let mut set = |name: &str, value: String| _ = settings.insert(name.to_owned(), shown(&value));
    let beside = |path: &Path| path.strip_prefix(app.base()).unwrap_or(path).display().to_string();
    set(SOURCE, beside(source));
    environment.iter().for_each(|(name, value)| set(&format!("environment.{name}"), value.clone()));
    variables.iter().for_each(|(name, template)| set(&format!("variables.{name}"), template.to_string()));
    let mounts = files.iter().map(|mount| match mount {
        FileMount::Pattern(pattern) => pattern.clone(),
        FileMount::Placement { source, destination } => format!("{} at {destination}", beside(source)),
    });
    let lists = [
        ("files", mounts.collect()),
        ("exclude_files", exclude_files.clone()),
        ("allowed_outbound_hosts", allowed_outbound_hosts.iter().map(Template::to_string).collect()),
        ("key_value_stores", key_value_stores.clone()),
        ("sqlite_databases", sqlite_databases.clone()),
        (SUBSCRIBE, subscribe.clone()),
    ];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        set(name, format!("[{}]", list.join(", ")));
    }
    links.iter().for_each(|(import, provider)| set(&format!("dependencies.\"{import}\""), provider.clone()));
    composed.iter().for_each(|(import, one)| set(&format!("dependencies.\"{import}\""), part(one, app)));
    middleware.iter().enumerate().for_each(|(number, one)| set(&layer_name(number), part(one, app)));
    let plain = [
        (DATABASE, database.clone()),
        (MIGRATIONS, migrations.as_deref().map(beside)),
        (OUTBOX, outbox.clone()),
        (TICK, tick_seconds.map(|seconds| seconds.to_string())),
    ];
    for (name, value) in plain {
        value.into_iter().for_each(|value| set(name, value));
    }
    bounds(limits).into_iter().for_each(|(name, value)| set(&format!("limits.{name}"), value));
    settings
}

/// That a file holds something else, with what it is told apart by.
fn built_anew(file: &Path, what: &str, files: &Files, app: &App) -> String {
    let hash = files.hash(file).and_then(|hash| hash.get(..12)).unwrap_or_default();
    let file = file.strip_prefix(app.base()).unwrap_or(file).display();
    format!("{file}, {what}, was built anew ({hash})")
}

/// What is composed into a component, and what it inherits there.
fn part(dependency: &Composed, app: &App) -> String {
    // What it is fetched from is in its file's name.
    let Composed { component, file, download: _, export, inherit } = dependency;
    let file = || file.strip_prefix(app.base()).unwrap_or(file).display().to_string();
    let mut shown = match component {
        Some(component) => format!("{component} ({}), composed in", file()),
        None => format!("{}, composed in", file()),
    };
    if let Some(export) = export {
        shown.push_str(&format!(" by its export {export}"));
    }
    match inherit {
        Inherit::All => shown.push_str(", inherits all"),
        Inherit::These(keys) if keys.is_empty() => {}
        Inherit::These(keys) => shown.push_str(&format!(", inherits {}", keys.join(", "))),
    }
    shown
}

fn bounds(limits: &ComponentLimits) -> [(&'static str, String); 12] {
    let ComponentLimits { memory_mib, request_ms, answer_pause_ms, answer_ms, body_bytes, instances, .. } = limits;
    let ComponentLimits { concurrent_per_instance, queue, reuse, database_connections, query_bytes, threads, .. } =
        limits;
    [
        ("memory_mib", memory_mib.to_string()),
        ("request_ms", request_ms.to_string()),
        ("answer_pause_ms", answer_pause_ms.to_string()),
        ("answer_ms", answer_ms.to_string()),
        ("body_bytes", body_bytes.to_string()),
        ("instances", instances.to_string()),
        ("concurrent_per_instance", concurrent_per_instance.to_string()),
        ("queue", queue.to_string()),
        ("reuse", reuse.to_string()),
        ("database_connections", database_connections.to_string()),
        ("query_bytes", query_bytes.to_string()),
        ("threads", format!("{threads:?}").to_lowercase()),
    ]
}

fn variable(variable: &Variable) -> Setting {
    let Variable { default, secret } = variable;
    match default {
        Some(value) if *secret => Setting { shown: "a secret default".to_owned(), hidden: Some(value.clone()) },
        Some(value) => shown(&format!("\"{value}\"")),
        None => shown("required"),
    }
}

fn shown(value: &str) -> Setting {
    Setting { shown: value.to_owned(), hidden: None }
}

fn word(kind: Generate) -> &'static str {
    match kind {
        Generate::Password => "password",
        Generate::Token => "token",
        Generate::Ed25519 => "ed25519",
    }
}

fn path(trigger: &RouteTrigger) -> String {
    match &trigger.route {
        Route::Path(path) => path.clone(),
        Route::Private => format!("(private, `{}`)", trigger.component),
    }
}

/// A channel and who hears it.
fn heard(trigger: &ChannelTrigger) -> String {
    format!("{} of `{}`", trigger.channel, trigger.component)
}

/// Where a channel is, without the user and password that may stand there.
fn address(trigger: &ChannelTrigger) -> Setting {
    let whole = trigger.address.to_string();
    let (scheme, rest) = whole.split_once("://").unwrap_or(("", &whole));
    let shown = match rest.rsplit_once('@') {
        Some((_, place)) => format!("{scheme}://…@{place}"),
        None => whole.clone(),
    };
    Setting { shown, hidden: Some(whole) }
}

fn line(kind: &str, name: &str, from: Option<&str>, to: Option<&str>) -> String {
    match (from, to) {
        (Some(from), Some(to)) if from == to => format!("~ {kind} `{name}`: another {}", to.trim_start_matches("a ")),
        (Some(from), Some(to)) => format!("~ {kind} `{name}`: {from} → {to}"),
        (Some(_), None) => format!("- {kind} `{name}`"),
        (None, to) => format!("+ {kind} `{name}`: {}", to.unwrap_or_default()),
    }
}

/// Name, former and later value of each setting that differs.
fn differences(before: &Settings, after: &Settings) -> Vec<(String, Option<String>, Option<String>)> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differing = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let value = |settings: &Settings, name: &String| settings.get(name).map(|setting| setting.shown.clone());
    differing.map(|name| (name.clone(), value(before, name), value(after, name))).collect()
}

#[cfg(test)]
mod tests;
