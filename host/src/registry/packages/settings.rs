//! What this user has set for packages, in the file that `wkg` and Spin read: which registry has those of a namespace, and with what password.
//!
//! ```toml
//! default_registry = "example.com"
//! namespace_registries = { acme = "registry.acme.com" }
//! package_registry_overrides = { "acme:special" = { registry = "acme", metadata = { oci = { registry = "ghcr.io", namespacePrefix = "acme/" } } } }
//! registry."registry.acme.com".oci.auth = { username = "ada", password = "…" }
//! ```

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;

use super::well_known::WellKnown;
use crate::registry::{error::RegistryError, settings_folder};

/// Where namespaces are of which nobody has set it.
const FALLBACKS: [(&str, &str); 2] = [("ba", "bytecodealliance.org"), ("wasi", "wasi.dev")];

/// With or without `=` at its end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How `wkg` calls registries of this kind.
const OCI: &str = "oci";

/// What is set.
#[derive(Debug, Default)]
pub struct Settings {
    /// Where it stands, if this user has a folder for that.
    file: Option<PathBuf>,
    set: Set,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Set {
    default_registry: Option<String>,
    namespace_registries: BTreeMap<String, Mapping>,
    package_registry_overrides: BTreeMap<String, Mapping>,
    registry: BTreeMap<String, Backend>,
}

/// A registry, and perhaps what it would else be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Mapping {
    /// The host, which says where its packages are.
    Registry(String),
    /// A name, and where the packages are.
    Custom {
        /// `host` or `host:port`, or what `registry` calls it.
        registry: String,
        /// What a registry says of itself elsewhere.
        metadata: WellKnown,
    },
}

/// How a registry is spoken with: one kind, or several of which one is named.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Backend {
    #[serde(alias = "default", rename = "type")]
    kind: Option<String>,
    #[serde(flatten)]
    kinds: BTreeMap<String, toml::Value>,
}

impl Backend {
    fn kind(&self) -> Option<&str> {
        let only = || self.kinds.keys().next().filter(|_| self.kinds.len() == 1);
        self.kind.as_ref().or_else(only).map(String::as_str)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Auth {
    /// Both in Base64, with a colon in between.
    Encoded(String),
    Plain {
        username: String,
        password: String,
    },
}

impl Settings {
    /// Those of this user; nothing is set where there is no file.
    ///
    /// # Errors
    /// A file that cannot be read. Nothing of it is told, since passwords may stand there.
    pub fn of_this_user() -> Result<Self, RegistryError> {
        let file = settings_folder().map(|folder| folder.join("wasm-pkg/config.toml"));
        file.map_or_else(|| Ok(Self::default()), Self::in_file)
    }

    fn in_file(file: PathBuf) -> Result<Self, RegistryError> {
        let refused = |cause: String| RegistryError::PackageSettings { file: file.clone(), cause };
        let set = match fs::read_to_string(&file) {
            Ok(text) => toml::from_str(&text).map_err(|error| refused(what_is_wrong(&text, &error)))?,
            Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
                Set::default()
            }
            Err(error) => return Err(refused(error.to_string())),
        };
        Ok(Self { file: Some(file), set })
    }

    /// Where they stand, or would.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Which registry has a package: what is set for it, for its namespace or for all, else what everybody knows.
    pub fn mapping(&self, namespace: &str, name: &str) -> Option<Mapping> {
        let Set { default_registry, namespace_registries, package_registry_overrides, .. } = &self.set;
        let set = package_registry_overrides.get(&format!("{namespace}:{name}"));
        let set = set.or_else(|| namespace_registries.get(namespace)).cloned();
        let default = || default_registry.clone().map(Mapping::Registry);
        let fallback = || FALLBACKS.into_iter().find(|(known, _)| *known == namespace);
        set.or_else(default).or_else(|| fallback().map(|(_, registry)| Mapping::Registry(registry.to_owned())))
    }

    /// Name and password for a registry, as the mapping calls it.
    ///
    /// # Errors
    /// What is neither. It is not told, since it may be a password.
    pub fn login(&self, registry: &str) -> Result<Option<(String, String)>, RegistryError> {
        let backend = self.set.registry.get(registry).and_then(|backend| backend.kinds.get(OCI));
        let Some(auth) = backend.and_then(|oci| oci.get("auth")) else { return Ok(None) };
        pair(auth).map(Some).ok_or_else(|| RegistryError::PackageSettings {
            file: self.file.clone().unwrap_or_default(),
            cause: format!("`auth` of {registry} is no `{{ username, password }}`, nor that in Base64"),
        })
    }

    /// Of which kind a registry is, where it is another than those that are spoken with here.
    pub fn other_kind(&self, mapping: &Mapping) -> Option<String> {
        let (Mapping::Registry(registry) | Mapping::Custom { registry, .. }) = mapping;
        let set = self.set.registry.get(registry).and_then(Backend::kind);
        let said = match mapping {
            Mapping::Registry(_) => None,
            Mapping::Custom { metadata, .. } => metadata.protocol(),
        };
        set.or(said).filter(|kind| *kind != OCI).map(str::to_owned)
    }
}

fn pair(auth: &toml::Value) -> Option<(String, String)> {
    match auth.clone().try_into().ok()? {
        Auth::Plain { username, password } => Some((username, password)),
        Auth::Encoded(text) => {
            let text = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
            text.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
        }
    }
}

impl std::fmt::Debug for Set {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Set").field("default_registry", &self.default_registry).finish_non_exhaustive()
    }
}

/// The line and the parser's word, without what stands there.
fn what_is_wrong(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    line.map_or_else(|| "it is no TOML of that kind".to_owned(), |line| format!("line {line} is not as it must be"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<Settings, RegistryError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Settings::in_file(file.path().to_owned())
    }

    #[test]
    fn what_is_set_for_a_package_goes_before_its_namespace_and_that_before_all() {
        let found = settings(
            r#"
            default_registry = "all.example"
            some_key_of_tomorrow = 1
            [namespace_registries]
            acme = "acme.example"
            [package_registry_overrides]
            "acme:special" = "special.example"
            "#,
        )
        .unwrap();
        for (namespace, name, registry) in [
            ("acme", "special", "special.example"),
            ("acme", "other", "acme.example"),
            ("some", "other", "all.example"),
            ("wasi", "http", "all.example"),
        ] {
            let expected = Some(Mapping::Registry(registry.to_owned()));
            assert_eq!(found.mapping(namespace, name), expected, "{namespace}:{name}");
        }
    }

    #[test]
    fn what_nobody_has_set_is_where_everybody_knows_or_nowhere() {
        let nothing = Settings::in_file(PathBuf::from("/nowhere/config.toml")).unwrap();
        assert_eq!(nothing.mapping("wasi", "http"), Some(Mapping::Registry("wasi.dev".to_owned())));
        assert_eq!(nothing.mapping("acme", "http"), None);
    }

    #[test]
    fn what_a_registry_would_say_of_itself_may_be_set() {
        let found = settings(
            r#"
            [namespace_registries.acme]
            registry = "acme"
            metadata = { preferredProtocol = "oci", oci = { registry = "ghcr.io", namespacePrefix = "acme/" } }
            "#,
        )
        .unwrap();
        let Some(Mapping::Custom { registry, metadata }) = found.mapping("acme", "web") else { panic!("{found:?}") };
        let reference = metadata.packages().reference(&registry, "acme", "web", "1.0.0").unwrap();
        assert_eq!(reference.to_string(), "ghcr.io/acme/acme/web:1.0.0");
    }

    #[test]
    fn passwords_are_read_and_shown_to_nobody() {
        let encoded = BASE64.encode("bob:two");
        let unpadded = encoded.trim_end_matches('=');
        let found = settings(&format!(
            r#"
            registry."one.example".oci.auth = {{ username = "ada", password = "hunter2" }}
            registry."two.example".oci.auth = "{encoded}"
            registry."three.example".oci.auth = "{unpadded}"
            registry."four.example".oci.auth = "hunter2"
            "#
        ))
        .unwrap();
        let login = |registry: &str| found.login(registry).unwrap();
        assert_eq!(login("one.example"), Some(("ada".to_owned(), "hunter2".to_owned())));
        for registry in ["two.example", "three.example"] {
            assert_eq!(login(registry), Some(("bob".to_owned(), "two".to_owned())));
        }
        assert_eq!(login("nowhere.example"), None);
        let error = found.login("four.example").unwrap_err().to_string();
        assert!(error.contains("four.example") && !error.contains("hunter2"), "{error}");
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_line_alone() {
        for text in
            ["\ndefault_registry = \"hunter2\"\ndefault_registry = 2\n", "\n\nnamespace_registries = \"hunter2\""]
        {
            let error = settings(text).unwrap_err().to_string();
            assert!(error.contains("line 3") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn registries_of_other_kinds_are_told_from_those_of_oci() {
        let found = settings(
            r#"
            registry."one.example" = { type = "local", local = { root = "/packages" } }
            registry."two.example" = { default = "local", local = { root = "/packages" }, oci = {} }
            registry."three.example".local.root = "/packages"
            registry."four.example" = { type = "oci", local = { root = "/packages" } }
            registry."five.example".oci = {}
            "#,
        )
        .unwrap();
        for (registry, kind) in [
            ("one", Some("local")),
            ("two", Some("local")),
            ("three", Some("local")),
            ("four", None),
            ("five", None),
            ("six", None),
        ] {
            let mapping = Mapping::Registry(format!("{registry}.example"));
            assert_eq!(found.other_kind(&mapping).as_deref(), kind, "{registry}");
        }
        let metadata = serde_json::from_str(r#"{ "preferredProtocol": "warg", "warg": {} }"#).unwrap();
        let custom = Mapping::Custom { registry: "ours".to_owned(), metadata };
        assert_eq!(found.other_kind(&custom).as_deref(), Some("warg"));
    }
}
