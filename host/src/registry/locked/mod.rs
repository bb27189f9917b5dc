//! The locked application: what a registry keeps of a manifest, in Spin's own format (`spin_lock_version` 0 and 1).
//!
//! It says everything that the manifest says, with digests in place of files. Spin reads what it knows of it; what only this host knows
//! stands in the metadata under `PLAZA`, which Spin keeps and does not read. So either runs what the other has pushed.

mod lock;
mod manifest;
mod reached;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::{Map, Value};

use crate::digest::sha256;

pub use self::{
    lock::lock,
    manifest::{Unservable, component_file, dependency_file, files_folder, manifest, migrations_folder},
};

/// The newest version that is understood.
const VERSION: u32 = 1;

/// What a component needs around which something stands, so that no host serves it without.
const AROUND: &str = "middleware";

/// The key of a component's metadata that says for which kind of trigger that stands there.
const AROUND_FOR: &str = "resolve-trigger-dependencies-using";

/// The key of metadata under which is what only this host knows.
const PLAZA: &str = "plaza";

/// What a component needs that asks others of its application over HTTP.
const SERVICE_CHAINING: &str = "local_service_chaining";

/// An application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Locked {
    /// 0, or 1 where something must be understood.
    pub spin_lock_version: u32,
    /// Keys that a host must not pass over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub must_understand: Vec<String>,
    /// Name, version, description, and what triggers have in common.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// What a host must be able to do.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub host_requirements: Map<String, Value>,
    /// The application's variables by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, LockedVariable>,
    /// In the manifest's order.
    pub triggers: Vec<LockedTrigger>,
    /// The components.
    pub components: Vec<LockedComponent>,
}

/// A variable; it is required where it has no default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LockedVariable {
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Used where nobody sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Its value is not to be shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LockedTrigger {
    /// Its id, which no other has.
    pub id: String,
    /// `http`, `redis` or another.
    pub trigger_type: String,
    /// Everything else of it, the component among it.
    pub trigger_config: Value,
    /// Components around its component, where they do not stand there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub trigger_dependencies: Around,
}

/// A component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LockedComponent {
    /// Its id in the manifest.
    pub id: String,
    /// Description, grants, and what only this host knows.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Its file.
    pub source: LockedSource,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Files it may read, each with its path in the guest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<LockedFile>,
    /// The variables it may read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
    /// What is to be composed in, by import.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependencies: BTreeMap<String, LockedDependency>,
    /// What is to be put around it for its triggers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub trigger_dependencies: Around,
    /// What a host must be able to do for it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub host_requirements: Map<String, Value>,
}

/// What is to be put around a component, outermost first, by what it is there: `middleware`.
pub type Around = BTreeMap<String, Vec<LockedDependency>>;

/// A component's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LockedSource {
    /// `application/wasm`.
    pub content_type: String,
    /// What is in it.
    #[serde(flatten)]
    pub content: Content,
}

/// What is composed into a component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LockedDependency {
    /// Its file.
    pub source: LockedSource,
    /// The export that serves the import, where it has another name.
    pub export: Option<String>,
    /// What it gets of its component's grants.
    #[serde(default, skip_serializing_if = "LockedInherit::is_none")]
    pub inherit: LockedInherit,
}

/// Which grants of its component a dependency gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LockedInherit {
    /// All of them.
    All,
    /// What stands in a manifest under these keys.
    Some(Vec<String>),
}

impl Default for LockedInherit {
    fn default() -> Self {
        Self::Some(Vec::new())
    }
}

impl LockedInherit {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A file at a path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LockedFile {
    /// What is in it.
    #[serde(flatten)]
    pub content: Content,
    /// Where it is shown.
    pub path: String,
}

/// What is in a file: by its digest, or as it is where it is small.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Content {
    /// The bytes.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "unpadded")]
    pub inline: Option<Vec<u8>>,
    /// `sha256:` and 64 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What only this host knows of a component.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct PlazaOfComponent {
    /// `tool.plaza` as it stands in the manifest.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    tool: Map<String, Value>,
    /// The files in its migrations folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    migrations: Vec<LockedFile>,
    /// Which parts are components of the application: their ids, by what they are called.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    components: BTreeMap<String, String>,
}

/// What only this host knows of the application.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct PlazaOfApplication {
    /// `application.tool.plaza` as it stands in the manifest.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    tool: Map<String, Value>,
}

impl Locked {
    /// Whether a document is a locked application, whatever is in it.
    pub fn is_one(text: &[u8]) -> bool {
        serde_json::from_slice::<Value>(text).is_ok_and(|document| document.get("spin_lock_version").is_some())
    }

    /// Everything that is named by its digest and does not stand here itself.
    ///
    /// # Errors
    /// What is wrong with that which only this host knows.
    pub fn digests(&self) -> serde_json::Result<BTreeSet<String>> {
        let mut digests = BTreeSet::new();
        for component in &self.components {
            let dependencies = component.parts().map(|dependency| &dependency.source.content);
            let files = component.files.iter().map(|file| &file.content);
            let migrations = component.migrations()?;
            let migrations = migrations.iter().map(|file| &file.content);
            let all = iter::once(&component.source.content).chain(dependencies).chain(files).chain(migrations);
            digests.extend(all.filter(|content| content.inline.is_none()).filter_map(|content| content.digest.clone()));
        }
        Ok(digests)
    }
}

impl Content {
    /// Its SHA-256 without `sha256:`, if it has one that is written as it must be, or is here itself.
    pub fn sha256(&self) -> Option<String> {
        match (&self.digest, &self.inline) {
            (Some(digest), _) => digest_of(digest).map(str::to_owned),
            (None, Some(bytes)) => Some(sha256(bytes)),
            (None, None) => None,
        }
    }

    /// Whether it has the digest that it says, where it is here itself.
    fn is_sound(&self) -> bool {
        match (&self.digest, &self.inline) {
            (Some(digest), Some(bytes)) => digest_of(digest) == Some(&*sha256(bytes)),
            _ => true,
        }
    }
}

/// The digits of `sha256:…`, where there are as many as there must be.
pub fn digest_of(text: &str) -> Option<&str> {
    let is_digit = |letter: u8| letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter);
    text.strip_prefix("sha256:").filter(|digits| digits.len() == 64 && digits.bytes().all(is_digit))
}

impl LockedComponent {
    /// Everything that becomes part of it.
    pub fn parts(&self) -> impl Iterator<Item = &LockedDependency> {
        self.dependencies.values().chain(self.trigger_dependencies.values().flatten())
    }

    /// Whether it has a migrations folder, be it empty.
    ///
    /// # Errors
    /// What is wrong with that which only this host knows.
    pub fn has_migrations(&self) -> serde_json::Result<bool> {
        Ok(self.plaza()?.tool.contains_key("migrations"))
    }

    /// The files of its migrations folder, if it has one.
    ///
    /// # Errors
    /// What is wrong with that which only this host knows.
    pub fn migrations(&self) -> serde_json::Result<Vec<LockedFile>> {
        Ok(self.plaza()?.migrations)
    }

    fn plaza(&self) -> serde_json::Result<PlazaOfComponent> {
        read(&self.metadata)
    }
}

/// What only this host knows, in metadata.
fn read<'a, T: Default + Deserialize<'a>>(metadata: &'a Map<String, Value>) -> serde_json::Result<T> {
    metadata.get(PLAZA).map_or_else(|| Ok(T::default()), T::deserialize)
}

/// Base64 as Spin writes it, without `=` at its end.
mod unpadded {
    use base64::{Engine, alphabet, engine};

    use super::{Deserialize, Deserializer, Error, Serializer};

    const BASE64: engine::GeneralPurpose = engine::GeneralPurpose::new(
        &alphabet::STANDARD,
        engine::GeneralPurposeConfig::new()
            .with_encode_padding(false)
            .with_decode_padding_mode(engine::DecodePaddingMode::Indifferent),
    );

    pub(super) fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_str(&BASE64.encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| BASE64.decode(text).map_err(D::Error::custom)).transpose()
    }
}
