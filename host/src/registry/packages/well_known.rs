//! What a registry of packages says of itself: in which OCI registry they are.

use http::StatusCode;
use serde::Deserialize;

use crate::{
    limits::REGISTRY_WELL_KNOWN_BYTES,
    registry::{
        error::RegistryError,
        host::within,
        reference::Reference,
        web::{self, Insecure, body},
    },
};

/// Where it says so.
const PATH: &str = ".well-known/wasm-pkg/registry.json";

/// What it says there: today in a table, and beside it as `wkg` had it before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WellKnown {
    preferred_protocol: Option<String>,
    oci: Packages,
    oci_registry: Option<String>,
    oci_namespace_prefix: Option<String>,
}

/// The OCI registry in which the packages are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Packages {
    registry: Option<String>,
    namespace_prefix: Option<String>,
}

impl WellKnown {
    /// What `registry` says of itself; nothing where it does not.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn of(registry: &str, insecure: &Insecure) -> Result<Self, RegistryError> {
        let url = format!("{}://{registry}/{PATH}", insecure.scheme(registry));
        let answer = web::get(&url, registry, insecure).await?;
        if answer.status() != StatusCode::OK {
            return Ok(Self::default());
        }
        let text = body(answer, registry, &format!("{PATH} of {registry}"), REGISTRY_WELL_KNOWN_BYTES as u64).await?;
        // A page that answers everything says nothing.
        Ok(serde_json::from_slice(&text).unwrap_or_default())
    }

    /// How it wants to be spoken with.
    pub fn protocol(&self) -> Option<&str> {
        self.preferred_protocol.as_deref()
    }

    /// Where its packages are.
    pub fn packages(self) -> Packages {
        Packages {
            registry: self.oci.registry.or(self.oci_registry),
            namespace_prefix: self.oci.namespace_prefix.or(self.oci_namespace_prefix),
        }
    }
}

impl Packages {
    /// A package with this tag; in `registry` itself where that names no other.
    ///
    /// # Errors
    /// What is no registry by itself.
    pub fn reference(
        &self,
        registry: &str,
        namespace: &str,
        name: &str,
        tag: &str,
    ) -> Result<Reference, RegistryError> {
        let place = self.registry.as_deref().unwrap_or(registry);
        let (host, folder) = place.split_once('/').unwrap_or((place, ""));
        let folder = if folder.is_empty() { String::new() } else { format!("{}/", folder.trim_end_matches('/')) };
        let prefix = self.namespace_prefix.as_deref().unwrap_or_default();
        within(host, &format!("{folder}{prefix}{namespace}/{name}:{tag}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_where_their_registry_says_or_in_it() {
        let said: WellKnown = serde_json::from_str(
            r#"{ "preferredProtocol": "oci", "oci": { "registry": "ghcr.io", "namespacePrefix": "bytecodealliance/" } }"#,
        )
        .unwrap();
        let place =
            |packages: Packages| packages.reference("example.com:5000", "some", "web", "1.0.0").unwrap().to_string();
        assert_eq!(place(said.packages()), "ghcr.io/bytecodealliance/some/web:1.0.0");
        assert_eq!(place(Packages::default()), "example.com:5000/some/web:1.0.0");
    }

    #[test]
    fn what_older_registries_say_of_themselves_is_understood() {
        let place = |text: &str| {
            let said: WellKnown = serde_json::from_str(text).unwrap();
            said.packages().reference("example.com", "some", "web", "1.0.0").unwrap().to_string()
        };
        let older = r#"{ "ociRegistry": "ghcr.io", "ociNamespacePrefix": "webassembly/" }"#;
        assert_eq!(place(older), "ghcr.io/webassembly/some/web:1.0.0");
        let both = r#"{ "ociRegistry": "ghcr.io", "oci": { "registry": "quay.io/deep" } }"#;
        assert_eq!(place(both), "quay.io/deep/some/web:1.0.0");
    }

    #[test]
    fn a_registry_without_a_dot_is_not_taken_for_a_repository_of_dockers() {
        let said = Packages { registry: Some("myregistry".to_owned()), ..Packages::default() };
        for packages in [said, Packages::default()] {
            assert!(packages.reference("other", "some", "web", "1.0.0").is_err());
        }
    }
}
