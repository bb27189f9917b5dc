//! Components and dependencies that are fetched: by a URL, or out of a registry.

use super::{
    app::{Download, Versions},
    import,
    section::{Node, Section},
};

/// The keys of a component's source that is fetched.
pub(super) const KEYS: &[&str] = &["url", "digest", "registry", "package", "version"];

/// `{ url, digest }`.
pub(super) fn read_url(section: &Section<'_>) -> Option<Download> {
    let url = section.require("url", "url = \"https://…\"")?;
    let digest = section.require("digest", "digest = \"sha256:…\"")?;
    let (address, expected) = (url.string()?, digest.string()?);
    if !["https://", "http://"].iter().any(|scheme| address.starts_with(scheme)) {
        // It may have a password in it.
        let shown = address.split(['?', '#']).next().unwrap_or_default();
        let shown = shown.rsplit_once('@').map_or(shown, |(_, behind)| behind);
        url.fault(format!("`{shown}` cannot be fetched"), "write an address that begins with `https://`");
        return None;
    }
    let is_digit = |letter: u8| letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter);
    let digits = expected.strip_prefix("sha256:").unwrap_or_default();
    if digits.len() != 64 || !digits.bytes().all(is_digit) {
        digest.fault(
            format!("`{expected}` is no digest"),
            "write `sha256:` and the 64 digits that `sha256sum` prints of the file",
        );
        return None;
    }
    Some(Download::Url { url: address, sha256: digits.to_owned() })
}

/// `{ registry, package, version }`: one version of a component.
pub(super) fn read_component(section: &Section<'_>) -> Option<Download> {
    let version = section.require("version", "version = \"1.0.0\"")?;
    let package = section.require("package", "package = \"namespace:name\"")?;
    let (registry, name, wanted) = (read_registry(section)?, package.string()?, version.string()?);
    let Some(exact) = exactly(&wanted) else {
        version.fault(
            format!("`{wanted}` is not one version"),
            "write the version that is to be taken, such as `1.0.0`; only a dependency's may be a range",
        );
        return None;
    };
    read(&package, registry, &name, exact)
}

/// The same of a dependency, of which any version will do that fits; its package is that of its import where it names none.
pub(super) fn read_dependency(section: &Section<'_>, import: &str) -> Option<Download> {
    let version = section.require("version", "version = \"1.0.0\"")?;
    let package = section.get("package");
    let name = package.as_ref().map_or_else(|| Some(import::package_name(import).to_owned()), Node::string)?;
    let versions = fitting(&version)?;
    read(&package.unwrap_or_else(|| section.node.clone()), read_registry(section)?, &name, versions)
}

/// A dependency of which there is nothing but the versions that fit.
pub(super) fn read_versions(node: &Node<'_>, import: &str) -> Option<Download> {
    read(node, None, import::package_name(import), fitting(node)?)
}

fn read(place: &Node<'_>, registry: Option<String>, package: &str, versions: Versions) -> Option<Download> {
    let parts =
        package.split_once(':').filter(|(namespace, name)| import::is_plain(namespace) && import::is_plain(name));
    let Some((namespace, name)) = parts else {
        place.fault(format!("`{package}` is no package"), "write it as `namespace:name`");
        return None;
    };
    Some(Download::Package { registry, namespace: namespace.to_owned(), name: name.to_owned(), versions })
}

/// The registry, if one is named.
fn read_registry(section: &Section<'_>) -> Option<Option<String>> {
    let Some(node) = section.get("registry") else { return Some(None) };
    let host = node.string()?;
    if !is_registry(&host) {
        node.fault(
            format!("`{host}` is no registry"),
            "write its host, such as `ghcr.io`, and `:port` where it needs one or has no dot in it",
        );
        return None;
    }
    Some(Some(host))
}

/// The versions that a requirement lets in, as Spin and Cargo read it: `1.2` is `^1.2`.
fn fitting(node: &Node<'_>) -> Option<Versions> {
    let wanted = node.string()?;
    if let Some(exact) = wanted.trim_start().starts_with('=').then(|| exactly(&wanted)).flatten() {
        return Some(exact);
    }
    match wanted.parse() {
        Ok(requirement) => Some(Versions::Newest(requirement)),
        Err(error) => {
            node.fault(
                format!("`{wanted}` says of no versions that they fit"),
                format!("write it as for Cargo, `1.2` or `^1.2`, `=1.2.3`, `>=1.2, <2`: {error}"),
            );
            None
        }
    }
}

/// One version, perhaps behind an equals sign.
fn exactly(text: &str) -> Option<Versions> {
    let text = text.trim();
    let version = text.strip_prefix('=').unwrap_or(text).trim_start().parse().ok()?;
    Some(Versions::Exactly(version))
}

/// A host and perhaps a port. A word alone would be read as a repository of Docker's own registry.
fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let are_labels = host.split('.').all(|label| !label.is_empty() && label.bytes().all(is_letter));
    let is_named = port.is_some() || host.contains('.') || host == "localhost";
    are_labels
        && is_named
        && port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_a_host_that_nobody_takes_for_something_else() {
        for text in ["ghcr.io", "localhost", "localhost:5000", "127.0.0.1:5000", "myregistry:443", "a-b.example.com"] {
            assert!(is_registry(text), "{text}");
        }
        for text in
            ["", "..", ".", "myregistry", "a..b", "ghcr.io.", "ghcr.io:", "ghcr.io:x", "a:1:2", "a/b.c", "a_b.c"]
        {
            assert!(!is_registry(text), "{text}");
        }
    }
}
