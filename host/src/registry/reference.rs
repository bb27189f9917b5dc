//! Where an artifact is: `registry/repository:tag`, or `registry/repository@sha256:…`.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{error::RegistryError, locked::digest_of};

/// The registry that a reference means which names none.
const DOCKER_HUB: &str = "docker.io";

/// A place in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(oci_client::Reference);

/// Where an application is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A manifest, or the folder it is in.
    File(PathBuf),
    /// An artifact.
    Registry(Reference),
}

impl Place {
    /// What a text means, as Spin takes it: a path where there is something; else a reference where it looks like one.
    pub fn of(text: &Path) -> Self {
        let reference = || text.to_str()?.parse::<Reference>().ok().filter(|found| found.is_meant_by(text));
        match reference() {
            Some(reference) if !text.exists() => Self::Registry(reference),
            _ => Self::File(text.to_owned()),
        }
    }
}

impl Reference {
    /// `host` or `host:port`.
    pub fn registry(&self) -> &str {
        self.0.resolve_registry()
    }

    /// The digest that the artifact must have, where the reference says it.
    pub fn digest(&self) -> Option<&str> {
        self.0.digest()
    }

    /// `host/repository`, of whichever tag or digest.
    pub(super) fn repository(&self) -> String {
        format!("{}/{}", self.0.registry(), self.0.repository())
    }

    pub(super) fn inner(&self) -> &oci_client::Reference {
        &self.0
    }

    /// A path such as `folder/spin.toml` could be read as a repository of Docker's own registry: it is one where it says so.
    fn is_meant_by(&self, text: &Path) -> bool {
        self.0.registry() != DOCKER_HUB || text.starts_with(DOCKER_HUB)
    }
}

impl FromStr for Reference {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused =
            |cause: &dyn fmt::Display| RegistryError::Reference { text: text.to_owned(), cause: cause.to_string() };
        let read: oci_client::Reference = text.parse().map_err(|error| refused(&error))?;
        match read.digest() {
            Some(digest) if digest_of(digest).is_none() => {
                Err(refused(&"its digest is not `sha256:` and 64 digits, 0 to 9 and a to f"))
            }
            _ => Ok(Self(read)),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_a_path_and_what_names_a_registry_is_a_reference() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Place::of(folder.path()), Place::File(folder.path().to_owned()));
        for path in
            ["spin.toml", "app/spin.toml", "app", "./app", "../app/spin.toml", "/nowhere/spin.toml", "App/Spin.toml"]
        {
            assert_eq!(Place::of(Path::new(path)), Place::File(path.into()), "{path}");
        }
        for (text, registry) in [
            ("ghcr.io/somebody/app:1", "ghcr.io"),
            ("localhost:5000/app", "localhost:5000"),
            ("127.0.0.1:5000/somebody/app:v1", "127.0.0.1:5000"),
            ("docker.io/somebody/app", "index.docker.io"),
        ] {
            let Place::Registry(reference) = Place::of(Path::new(text)) else { panic!("{text} is a path") };
            assert_eq!(reference.registry(), registry);
        }
    }

    #[test]
    fn a_reference_says_what_is_wrong_with_it() {
        for text in ["", "somebody/App:1", "a b", "ghcr.io/app@sha256:12", "ghcr.io/app:"] {
            let error = text.parse::<Reference>().unwrap_err().to_string();
            assert!(error.contains("registry/repository:tag"), "{text:?}: {error}");
        }
        // As a name of a folder they would be another, or none.
        for digest in [format!("sha256:{}", "A".repeat(64)), format!("sha512:{}", "a".repeat(128))] {
            let error = format!("ghcr.io/app@{digest}").parse::<Reference>().unwrap_err().to_string();
            assert!(error.contains("registry/repository:tag"), "{digest}: {error}");
        }
        let digest = "a".repeat(64);
        let pinned: Reference = format!("ghcr.io/app@sha256:{digest}").parse().unwrap();
        assert_eq!(pinned.digest(), Some(&*format!("sha256:{digest}")));
    }
}
