//! A manifest becomes a locked application.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Map, Value, json};

use super::{
    AROUND, AROUND_FOR, Around, Content, Locked, LockedComponent, LockedDependency, LockedFile, LockedInherit,
    LockedSource, LockedTrigger, LockedVariable, PLAZA, PlazaOfApplication, PlazaOfComponent, SERVICE_CHAINING,
};
use crate::{
    manifest::{
        App,
        app::{Component, Composed, Inherit, MIDDLEWARE},
        trigger::inline_id,
    },
    registry::{contents::Contents, error::RegistryError},
};

/// Says everything that a sound manifest says. `document` is its text; the files that it names are put among the `contents`.
///
/// # Errors
/// A file that cannot be read.
pub fn lock(app: &App, document: &toml::Table, contents: &mut Contents) -> Result<Locked, RegistryError> {
    let document = json(document);
    let mut components = Vec::new();
    for component in app.components.values() {
        let written = written(&document, &component.id);
        components.push(lock_component(app, component, &written, contents)?);
    }
    let chained = components.iter().any(|component| !component.host_requirements.is_empty());
    Ok(Locked {
        spin_lock_version: u32::from(chained),
        must_understand: chained.then(|| "component_host_requirements".to_owned()).into_iter().collect(),
        metadata: application(app, &document),
        host_requirements: Map::new(),
        variables: variables(app, &document),
        triggers: triggers(&document),
        components,
    })
}

/// The text as JSON. A date has no place in a manifest's own keys; in those of other tools it becomes a text.
fn json(document: &toml::Table) -> Value {
    serde_json::to_value(document).unwrap_or_default()
}

fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, key| value.get(key).unwrap_or(&Value::Null))
}

fn table(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// The table of a component, wherever it stands.
fn written(document: &Value, id: &str) -> Value {
    let own = at(document, &["component", id]);
    if own.is_object() {
        return own.clone();
    }
    let inline = each_trigger(document).find(|(kind, number, trigger)| {
        let named = trigger.get("id").and_then(Value::as_str).map(str::to_owned);
        at(trigger, &["component"]).is_object() && inline_id(kind, *number, named) == id
    });
    inline.map(|(.., trigger)| at(trigger, &["component"]).clone()).unwrap_or_default()
}

/// Kind, place and table of every trigger.
fn each_trigger(document: &Value) -> impl Iterator<Item = (&str, usize, &Value)> {
    let kinds = at(document, &["trigger"]).as_object().into_iter().flatten();
    kinds.flat_map(|(kind, triggers)| {
        let triggers = triggers.as_array().into_iter().flatten().enumerate();
        triggers.map(move |(number, trigger)| (kind.as_str(), number, trigger))
    })
}

fn application(app: &App, document: &Value) -> Map<String, Value> {
    let mut metadata = Map::new();
    let written = at(document, &["application"]);
    metadata.insert("name".to_owned(), app.name.clone().into());
    for (key, text) in [("version", &app.version), ("description", &app.description)] {
        metadata.extend(text.clone().filter(|text| !text.is_empty()).map(|text| (key.to_owned(), text.into())));
    }
    if let Some(authors) =
        written.get("authors").filter(|authors| authors.as_array().is_some_and(|all| !all.is_empty()))
    {
        metadata.insert("authors".to_owned(), authors.clone());
    }
    let globals = table(at(written, &["trigger"]));
    let mut kinds: Vec<&str> = each_trigger(document).map(|(kind, ..)| kind).collect();
    kinds.dedup();
    // Older hosts look here, and have one kind of trigger.
    if let [kind] = kinds.as_slice() {
        let mut single = table(globals.get(*kind).unwrap_or(&Value::Null));
        single.insert("type".to_owned(), (*kind).into());
        metadata.insert("trigger".to_owned(), single.into());
    }
    metadata.insert("triggers".to_owned(), globals.into());
    let plaza = PlazaOfApplication { tool: table(at(written, &["tool", "plaza"])) };
    if plaza != PlazaOfApplication::default() {
        metadata.insert(PLAZA.to_owned(), json!(plaza));
    }
    metadata
}

fn variables(app: &App, document: &Value) -> BTreeMap<String, LockedVariable> {
    let locked = app.variables.iter().map(|(name, variable)| {
        let description = at(document, &["variables", name, "description"]).as_str().map(str::to_owned);
        let locked = LockedVariable { description, default: variable.default.clone(), secret: variable.secret };
        (name.clone(), locked)
    });
    locked.collect()
}

fn triggers(document: &Value) -> Vec<LockedTrigger> {
    let mut given: Vec<String> =
        each_trigger(document).filter_map(|(.., trigger)| Some(trigger.get("id")?.as_str()?.to_owned())).collect();
    let mut locked = Vec::new();
    for (kind, number, trigger) in each_trigger(document) {
        let mut config = table(trigger);
        let id = config.remove("id").and_then(|id| Some(id.as_str()?.to_owned()));
        // It stands with the component, where Spin has it, too.
        config.remove("dependencies");
        if at(trigger, &["component"]).is_object() {
            config.insert("component".to_owned(), inline_id(kind, number, id.clone()).into());
        }
        let id = id.unwrap_or_else(|| free_id(kind, number, &mut given));
        let (trigger_type, trigger_config) = (kind.to_owned(), config.into());
        locked.push(LockedTrigger { id, trigger_type, trigger_config, trigger_dependencies: Around::new() });
    }
    locked
}

/// An id for a trigger without one, which no other has.
fn free_id(kind: &str, number: usize, given: &mut Vec<String>) -> String {
    let mut id = format!("{kind}-trigger{}", number + 1);
    while given.contains(&id) {
        id.push('x');
    }
    given.push(id.clone());
    id
}

fn lock_component(
    app: &App,
    component: &Component,
    written: &Value,
    contents: &mut Contents,
) -> Result<LockedComponent, RegistryError> {
    let grants: Vec<String> = component.allowed_outbound_hosts.iter().map(ToString::to_string).collect();
    let chains = grants.iter().any(|grant| grant.contains(".spin.internal"));
    let around = lock_around(component, contents)?;
    let requirements = [(chains, SERVICE_CHAINING), (!around.is_empty(), AROUND)];
    let requirements = requirements.into_iter().filter(|(needs, _)| *needs);
    let mut dependencies = BTreeMap::new();
    for (key, composed) in component.composed.iter().chain(&component.under_spin) {
        dependencies.insert(key.clone(), lock_dependency(composed, contents)?);
    }
    let mut plaza = PlazaOfComponent { tool: table(at(written, &["tool", "plaza"])), ..PlazaOfComponent::default() };
    let under_spin = component.under_spin.iter().map(|(key, part)| (Cow::Borrowed(key.as_str()), part));
    for (key, part) in component.parts().chain(under_spin) {
        plaza.components.extend(part.component.clone().map(|id| (key.into_owned(), id)));
    }
    if let Some(folder) = &component.plaza.migrations {
        plaza.migrations = files(contents.folder(folder)?);
    }
    let mut metadata = Map::new();
    metadata.extend(component.description.clone().map(|text| ("description".to_owned(), text.into())));
    for (key, list) in [
        ("allowed_outbound_hosts", &grants),
        ("key_value_stores", &component.key_value_stores),
        ("databases", &component.sqlite_databases),
    ] {
        if !list.is_empty() {
            metadata.insert(key.to_owned(), json!(list));
        }
    }
    if !around.is_empty() {
        metadata.insert(AROUND_FOR.to_owned(), "http".into());
    }
    if plaza != PlazaOfComponent::default() {
        metadata.insert(PLAZA.to_owned(), json!(plaza));
    }
    Ok(LockedComponent {
        id: component.id.clone(),
        metadata,
        source: source(contents.wasm(&component.source)?),
        env: component.environment.clone(),
        files: files(contents.mounted(component, app.base())?),
        config: component.variables.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        dependencies,
        trigger_dependencies: around,
        host_requirements: requirements.map(|(_, name)| (name.to_owned(), "required".into())).collect(),
    })
}

fn lock_around(component: &Component, contents: &mut Contents) -> Result<Around, RegistryError> {
    let mut around = Around::new();
    for layer in &component.middleware {
        around.entry(MIDDLEWARE.to_owned()).or_default().push(lock_dependency(layer, contents)?);
    }
    Ok(around)
}

fn lock_dependency(composed: &Composed, contents: &mut Contents) -> Result<LockedDependency, RegistryError> {
    let inherit = match &composed.inherit {
        Inherit::All => LockedInherit::All,
        Inherit::These(keys) => LockedInherit::Some(keys.clone()),
    };
    Ok(LockedDependency { source: source(contents.wasm(&composed.file)?), export: composed.export.clone(), inherit })
}

fn source(content: Content) -> LockedSource {
    LockedSource { content_type: "application/wasm".to_owned(), content }
}

fn files(found: BTreeMap<String, Content>) -> Vec<LockedFile> {
    found.into_iter().map(|(path, content)| LockedFile { content, path }).collect()
}
