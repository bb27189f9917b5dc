//! A registry's name, taken as what it says and not as a part of something else.

use super::{error::RegistryError, reference::Reference};

/// What is called `rest` in a registry. A name without a dot or a port would be read as a repository of Docker's own registry, so it is none.
///
/// # Errors
/// What is no registry by itself.
pub fn within(registry: &str, rest: &str) -> Result<Reference, RegistryError> {
    let read = format!("{registry}/{rest}").parse::<Reference>().ok();
    let is_it = |found: &Reference| found.inner().registry() == registry || found.registry() == registry;
    read.filter(is_it).ok_or_else(|| {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let remedy = if !registry.is_empty() && registry.bytes().all(is_word) {
            format!("write it with its port, such as `{registry}:443`; one with a dot, such as `ghcr.io`, needs none")
        } else {
            "write its host alone, such as `ghcr.io`, and `:port` where it needs one".to_owned()
        };
        RegistryError::Host { text: registry.to_owned(), remedy }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_the_one_that_is_named_or_none() {
        for (registry, found) in [
            ("ghcr.io", "ghcr.io"),
            ("localhost", "localhost"),
            ("localhost:5000", "localhost:5000"),
            ("myregistry:443", "myregistry:443"),
            ("docker.io", "index.docker.io"),
            ("index.docker.io", "index.docker.io"),
        ] {
            assert_eq!(within(registry, "some/app:1").unwrap().registry(), found);
        }
        for registry in ["myregistry", "ghcr.io/somebody", "..", "", "http://ghcr.io", "ada@ghcr.io"] {
            assert!(within(registry, "some/app:1").is_err(), "{registry}");
        }
    }
}
