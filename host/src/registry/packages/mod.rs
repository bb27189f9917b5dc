//! Packages: in which registry one is, which of its versions is taken, and its component.
//!
//! ```text
//! manifest → registry (named there, or set by the user) → OCI registry (as the registry says) → tag → layer
//! ```

mod settings;
mod version;
mod well_known;

use std::{cell::OnceCell, path::Path};

use bytes::Bytes;
use oci_client::manifest::OciImageManifest;
use semver::Version;

pub use self::settings::Settings;
use self::{settings::Mapping, well_known::WellKnown};
use super::{
    contents::too_much,
    credentials::{Credentials, Login},
    error::RegistryError,
    locked::digest_of,
    media,
    reference::Reference,
    remote::Remote,
    web::Insecure,
};
use crate::{
    limits::{REGISTRY_BLOB_BYTES, REGISTRY_VERSIONS_TOLD},
    manifest::app::Versions,
};

/// A package that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Package<'a> {
    /// `host` or `host:port`, where the manifest names it.
    pub registry: Option<&'a str>,
    /// What stands before the colon of its name.
    pub namespace: &'a str,
    /// What stands behind it.
    pub name: &'a str,
    /// Which versions will do.
    pub versions: &'a Versions,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which version it is.
    pub version: Version,
    /// What it has, `sha256:` and 64 digits.
    pub digest: String,
}

/// Whoever asks registries: whom over plain HTTP, with which passwords, and by which settings.
#[derive(Debug)]
pub struct Asker {
    /// Whom over plain HTTP.
    pub insecure: Insecure,
    /// With which passwords.
    pub credentials: Credentials,
    /// Read when the first package is fetched.
    settings: OnceCell<Settings>,
}

impl Asker {
    /// This user.
    pub fn of_this_user(insecure: Insecure) -> Self {
        Self { insecure, credentials: Credentials::of_this_user(), settings: OnceCell::new() }
    }

    /// Writes a package's component into a file: of the version that was taken before, else of the newest that will do.
    ///
    /// # Errors
    /// What the registry says, and what is there and is no component.
    pub async fn fetch(
        &self,
        package: Package<'_>,
        before: Option<Version>,
        into: &Path,
    ) -> Result<Found, RegistryError> {
        let Package { namespace, name, versions, .. } = package;
        let (registry, place) = match self.mapping(package)? {
            Mapping::Registry(registry) => {
                let said = WellKnown::of(&registry, &self.insecure).await?;
                (registry, said.packages())
            }
            Mapping::Custom { registry, metadata } => (registry, metadata.packages()),
        };
        let reference = |tag: &str| place.reference(&registry, namespace, name, tag);
        let version = match (versions, before) {
            (Versions::Exactly(version), _) => version.clone(),
            (Versions::Newest(_), Some(version)) => version,
            (Versions::Newest(these), None) => {
                let reference = reference("latest")?;
                let there = version::versions(&self.remote(&registry, &reference).await?.tags().await?);
                version::newest(&there, these).cloned().ok_or_else(|| no_version(package, &reference, &there))?
            }
        };
        let reference = reference(&version::tag(&version))?;
        let digest = component(&self.remote(&registry, &reference).await?, &reference, into).await?;
        Ok(Found { version, digest })
    }

    fn settings(&self) -> Result<&Settings, RegistryError> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let read = Settings::of_this_user()?;
        Ok(self.settings.get_or_init(|| read))
    }

    fn mapping(&self, package: Package<'_>) -> Result<Mapping, RegistryError> {
        let Package { registry, namespace, name, .. } = package;
        let settings = self.settings()?;
        let named = registry.map(|registry| Mapping::Registry(registry.to_owned()));
        let mapping = named.or_else(|| settings.mapping(namespace, name)).ok_or_else(|| RegistryError::NoRegistry {
            package: format!("{namespace}:{name}"),
            file: settings.file().map(Path::to_owned),
        })?;
        match settings.other_kind(&mapping) {
            Some(kind) => {
                let (Mapping::Registry(registry) | Mapping::Custom { registry, .. }) = mapping;
                Err(RegistryError::OtherKind { registry, kind })
            }
            None => Ok(mapping),
        }
    }

    /// The OCI registry of a reference, with the password that is set for the registry of packages, or is known for itself.
    async fn remote<'a>(&self, registry: &str, reference: &'a Reference) -> Result<Remote<'a>, RegistryError> {
        let login = match self.settings()?.login(registry)? {
            Some(pair) => Login::with(pair),
            None => self.credentials.of(reference.registry()).await?,
        };
        Remote::of(reference, self.insecure.allows(reference.registry()), login)
    }
}

fn no_version(package: Package<'_>, reference: &Reference, there: &[Version]) -> RegistryError {
    let Package { namespace, name, versions, .. } = package;
    let newest: Vec<String> = there.iter().rev().take(REGISTRY_VERSIONS_TOLD).map(Version::to_string).collect();
    RegistryError::NoVersion {
        package: format!("{namespace}:{name}"),
        versions: versions.to_string(),
        registry: reference.registry().to_owned(),
        there: if newest.is_empty() { "none".to_owned() } else { newest.join(", ") },
    }
}

/// Writes a package's component into a file; returns its digest.
async fn component(remote: &Remote<'_>, reference: &Reference, into: &Path) -> Result<String, RegistryError> {
    let (text, _): (Bytes, String) = remote.manifest().await?;
    let refused = |why: &str| RegistryError::NoComponent { reference: reference.to_string(), why: why.to_owned() };
    let manifest: OciImageManifest = serde_json::from_slice(&text).map_err(|error| refused(&error.to_string()))?;
    let [layer] = manifest.layers.as_slice() else { return Err(refused("it has not one layer but several, or none")) };
    if ![media::PACKAGE, media::COMPONENT].contains(&layer.media_type.as_str()) {
        return Err(refused(&format!("its layer is of the type {:?}", layer.media_type)));
    }
    if digest_of(&layer.digest).is_none() {
        return Err(refused(&format!("its layer has the digest {:?}, and only sha256 is taken", layer.digest)));
    }
    let bytes = u64::try_from(layer.size).unwrap_or(u64::MAX);
    if bytes > REGISTRY_BLOB_BYTES {
        return Err(too_much(reference.to_string(), bytes, REGISTRY_BLOB_BYTES));
    }
    remote.fetch(&layer.digest, bytes, into).await?;
    Ok(layer.digest.clone())
}
