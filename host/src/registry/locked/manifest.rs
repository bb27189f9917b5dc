//! A locked application becomes a manifest again, beside which its files are.

use std::{
    collections::BTreeSet,
    path::{Component as Part, Path, PathBuf},
};

use serde_json::{Map, Value, json};

use super::{
    AROUND, AROUND_FOR, Content, Locked, LockedComponent, LockedDependency, LockedFile, LockedInherit, LockedTrigger,
    LockedVariable, PlazaOfApplication, PlazaOfComponent, SERVICE_CHAINING, VERSION, read,
};
use crate::manifest::app::{MIDDLEWARE, layer_name};

/// Where the files of components are, beside the manifest.
const COMPONENTS: &str = "components";
/// Where the files of dependencies are that are no components of the application.
const DEPENDENCIES: &str = "dependencies";
/// Where the files are that components may read.
const FILES: &str = "files";
/// Where the folders of migrations are.
const MIGRATIONS: &str = "migrations";

/// Why a locked application cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unservable {
    /// It is newer than this host.
    #[error("it is locked in version {0}, which is not known here; a newer `plaza` may know it")]
    Version(u32),
    /// It says that something must be there, and it is not.
    #[error("it needs `{0}`, which is not served yet")]
    Needs(String),
    /// A component stands around another for a trigger, and is no middleware of HTTP.
    #[error(
        "`{0}` has components around it for its trigger that are no HTTP middleware, which is not served yet; push it with `spin registry push`, which composes them"
    )]
    Around(String),
    /// A name that would lead out of the folder, or that none can have.
    #[error("it has {0:?} where a name is to stand")]
    Name(String),
    /// Two of one name, of which one would hide the other.
    #[error("it has {0:?} twice")]
    Twice(String),
    /// A component is written into a trigger: files would be taken from where it says, which no locked application has.
    #[error("the trigger `{0}` says more of its component than a name")]
    Trigger(String),
    /// What stands in it is not what its digest says.
    #[error("what stands in it for {0} has another digest")]
    Content(String),
    /// Read as a manifest, it says something else than it should.
    #[error("its manifest leads out of its folder: {0}")]
    Outside(String),
    /// A value that cannot be written down.
    #[error("it cannot be written as a manifest: {0}")]
    Value(String),
}

/// The manifest's text.
///
/// # Errors
/// What keeps it from being served here. What the manifest's own reading refuses is told there.
pub fn manifest(locked: &Locked) -> Result<String, Unservable> {
    understood(locked)?;
    let mut document = Map::new();
    document.insert("spin_manifest_version".to_owned(), 2.into());
    document.insert("application".to_owned(), application(locked)?);
    let variables = locked.variables.iter().map(|(name, variable)| (name.clone(), write_variable(variable)));
    document.insert("variables".to_owned(), variables.collect::<Map<_, _>>().into());
    document.insert("trigger".to_owned(), triggers(locked)?);
    let mut components = Map::new();
    for component in &locked.components {
        components.insert(component.id.clone(), write_component(locked, component)?);
    }
    document.insert("component".to_owned(), components.into());
    let document = toml::Value::try_from(without_nulls(document.into()));
    let text = document
        .map_err(|error| error.to_string())
        .and_then(|document| toml::to_string(&document).map_err(|error| error.to_string()));
    text.map_err(Unservable::Value)
}

/// Where a component's file is, from the manifest's folder.
pub fn component_file(id: &str) -> String {
    format!("{COMPONENTS}/{id}.wasm")
}

/// Where the file of a dependency is, by its digest without `sha256:`.
pub fn dependency_file(digest: &str) -> String {
    format!("{DEPENDENCIES}/{digest}.wasm")
}

/// Where the files are that a component may read.
pub fn files_folder(id: &str) -> String {
    format!("{FILES}/{id}")
}

/// Where its migrations are.
pub fn migrations_folder(id: &str) -> String {
    format!("{MIGRATIONS}/{id}")
}

/// Nothing is passed over that must not be, and no name leads anywhere else.
fn understood(locked: &Locked) -> Result<(), Unservable> {
    if locked.spin_lock_version > VERSION {
        return Err(Unservable::Version(locked.spin_lock_version));
    }
    let known = ["host_requirements", "component_host_requirements"];
    if let Some(unknown) = locked.must_understand.iter().find(|key| !known.contains(&key.as_str())) {
        return Err(Unservable::Needs(unknown.clone()));
    }
    let needed = locked.components.iter().flat_map(|component| &component.host_requirements);
    for (need, strength) in locked.host_requirements.iter().chain(needed) {
        if ![SERVICE_CHAINING, AROUND].contains(&need.as_str()) && strength != "optional" {
            return Err(Unservable::Needs(need.clone()));
        }
    }
    for trigger in &locked.triggers {
        if trigger.trigger_dependencies.values().any(|around| !around.is_empty()) {
            return Err(Unservable::Around(trigger.id.clone()));
        }
        // A manifest takes a whole component here, with files from anywhere.
        if trigger.trigger_config.get("component").is_some_and(|component| !component.is_string()) {
            return Err(Unservable::Trigger(trigger.id.clone()));
        }
    }
    let mut ids = BTreeSet::new();
    for component in &locked.components {
        if !is_middleware(component) {
            return Err(Unservable::Around(component.id.clone()));
        }
        if !component.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') || component.id.is_empty() {
            return Err(Unservable::Name(component.id.clone()));
        }
        if !ids.insert(component.id.as_str()) {
            return Err(Unservable::Twice(component.id.clone()));
        }
        let migrations = component.migrations().map_err(|error| Unservable::Value(error.to_string()))?;
        let dependencies = component.parts().map(|dependency| &dependency.source.content);
        sound([&component.source.content].into_iter().chain(dependencies))?;
        for files in [&component.files, &migrations] {
            placed(files)?;
            sound(files.iter().map(|file| &file.content))?;
        }
    }
    Ok(())
}

/// Whether nothing stands around it but middleware for its HTTP triggers.
fn is_middleware(component: &LockedComponent) -> bool {
    let mut around = component.trigger_dependencies.iter().filter(|(_, around)| !around.is_empty());
    let is_http = component.metadata.get(AROUND_FOR).is_none_or(|kind| kind == "http");
    around.all(|(kind, _)| kind == MIDDLEWARE && is_http)
}

/// Each file has a place below the folder that no other has.
fn placed(files: &[LockedFile]) -> Result<(), Unservable> {
    let mut places = BTreeSet::new();
    for file in files {
        if !stays_inside(&file.path) {
            return Err(Unservable::Name(file.path.clone()));
        }
        // `a//b` is where `a/b` is.
        if !places.insert(Path::new(&file.path).components().collect::<PathBuf>()) {
            return Err(Unservable::Twice(file.path.clone()));
        }
    }
    Ok(())
}

fn sound<'a>(contents: impl Iterator<Item = &'a Content>) -> Result<(), Unservable> {
    let mut broken = contents.filter(|content| !content.is_sound());
    broken.next().map_or(Ok(()), |content| Err(Unservable::Content(content.digest.clone().unwrap_or_default())))
}

fn stays_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\0', '\\'])
        && Path::new(path).components().all(|part| matches!(part, Part::Normal(_)))
}

fn application(locked: &Locked) -> Result<Value, Unservable> {
    let plaza: PlazaOfApplication = read(&locked.metadata).map_err(|error| Unservable::Value(error.to_string()))?;
    let mut application = Map::new();
    for key in ["name", "version", "description", "authors"] {
        application.extend(locked.metadata.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    let mut globals = locked.metadata.get("triggers").and_then(Value::as_object).cloned().unwrap_or_default();
    // What is older than `triggers` has one kind of trigger, and says here what is common to all of it.
    if let Some(single) = locked.metadata.get("trigger").and_then(Value::as_object)
        && let Some(kind) = single.get("type").and_then(Value::as_str)
        && !globals.contains_key(kind)
    {
        let rest = single.iter().filter(|(key, _)| *key != "type");
        let rest: Map<_, _> = rest.map(|(key, value)| (key.clone(), value.clone())).collect();
        if !rest.is_empty() {
            globals.insert(kind.to_owned(), rest.into());
        }
    }
    if !globals.is_empty() {
        application.insert("trigger".to_owned(), globals.into());
    }
    if !plaza.tool.is_empty() {
        application.insert("tool".to_owned(), json!({ "plaza": plaza.tool }));
    }
    Ok(application.into())
}

fn write_variable(variable: &LockedVariable) -> Value {
    let mut written = Map::new();
    written.extend(variable.description.clone().map(|text| ("description".to_owned(), text.into())));
    match &variable.default {
        Some(default) => written.insert("default".to_owned(), default.clone().into()),
        None => written.insert("required".to_owned(), true.into()),
    };
    if variable.secret {
        written.insert("secret".to_owned(), true.into());
    }
    written.into()
}

fn triggers(locked: &Locked) -> Result<Value, Unservable> {
    let mut kinds = Map::new();
    for trigger in &locked.triggers {
        let mut written = Map::new();
        written.extend(trigger.trigger_config.as_object().cloned().unwrap_or_default());
        written.insert("id".to_owned(), trigger.id.clone().into());
        let around = middleware(locked, trigger)?;
        if !around.is_empty() {
            written.insert("dependencies".to_owned(), json!({ MIDDLEWARE: around }));
        }
        let list = kinds.entry(trigger.trigger_type.clone()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(written.into());
        }
    }
    Ok(kinds.into())
}

/// What stands around the component of an HTTP trigger.
fn middleware(locked: &Locked, trigger: &LockedTrigger) -> Result<Vec<Value>, Unservable> {
    let id = trigger.trigger_config.get("component").and_then(Value::as_str);
    let component = locked.components.iter().find(|component| Some(component.id.as_str()) == id);
    let Some(component) = component.filter(|_| trigger.trigger_type == "http") else { return Ok(Vec::new()) };
    let plaza = component.plaza().map_err(|error| Unservable::Value(error.to_string()))?;
    let layers = component.trigger_dependencies.get(MIDDLEWARE).into_iter().flatten().enumerate();
    layers.map(|(number, layer)| write_dependency(layer, one_of(locked, &plaza, &layer_name(number)))).collect()
}

/// The component of the application that a part is.
fn one_of<'a>(locked: &Locked, plaza: &'a PlazaOfComponent, part: &str) -> Option<&'a str> {
    let id = plaza.components.get(part)?.as_str();
    locked.components.iter().any(|other| other.id == id).then_some(id)
}

fn write_component(locked: &Locked, component: &LockedComponent) -> Result<Value, Unservable> {
    let mut written = Map::new();
    written.insert("source".to_owned(), component_file(&component.id).into());
    for (from, to) in [
        ("description", "description"),
        ("allowed_outbound_hosts", "allowed_outbound_hosts"),
        ("key_value_stores", "key_value_stores"),
        ("databases", "sqlite_databases"),
        ("ai_models", "ai_models"),
    ] {
        written.extend(component.metadata.get(from).map(|value| (to.to_owned(), value.clone())));
    }
    if !component.env.is_empty() {
        written.insert("environment".to_owned(), json!(component.env));
    }
    if !component.config.is_empty() {
        written.insert("variables".to_owned(), json!(component.config));
    }
    if !component.files.is_empty() {
        written.insert("files".to_owned(), json!([{ "source": files_folder(&component.id), "destination": "/" }]));
    }
    let mut plaza = component.plaza().map_err(|error| Unservable::Value(error.to_string()))?;
    let mut dependencies = Map::new();
    for (key, dependency) in &component.dependencies {
        dependencies.insert(key.clone(), write_dependency(dependency, one_of(locked, &plaza, key))?);
    }
    if !dependencies.is_empty() {
        written.insert("dependencies".to_owned(), dependencies.into());
    }
    if plaza.tool.contains_key("migrations") {
        plaza.tool.insert("migrations".to_owned(), migrations_folder(&component.id).into());
    }
    if !plaza.tool.is_empty() {
        written.insert("tool".to_owned(), json!({ "plaza": plaza.tool }));
    }
    Ok(written.into())
}

/// `component` is the component of the application that it is.
fn write_dependency(dependency: &LockedDependency, component: Option<&str>) -> Result<Value, Unservable> {
    let mut written = Map::new();
    match component {
        Some(id) => written.insert("component".to_owned(), id.into()),
        None => {
            let digest = dependency.source.content.sha256().ok_or_else(|| Unservable::Name("nothing".to_owned()))?;
            written.insert("path".to_owned(), dependency_file(&digest).into())
        }
    };
    written.extend(dependency.export.clone().map(|export| ("export".to_owned(), export.into())));
    let inherit = match &dependency.inherit {
        LockedInherit::All => true.into(),
        LockedInherit::Some(keys) => json!(keys),
    };
    written.insert("inherit_configuration".to_owned(), inherit);
    Ok(written.into())
}

/// TOML has no nothing.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let kept = entries.into_iter().filter(|(_, value)| !value.is_null());
            kept.map(|(key, value)| (key, without_nulls(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(entries) => {
            entries.into_iter().filter(|value| !value.is_null()).map(without_nulls).collect::<Vec<_>>().into()
        }
        other => other,
    }
}
