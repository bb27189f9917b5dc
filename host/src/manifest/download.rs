//! Components and dependencies that are fetched: by a URL, or out of a registry.

use super::{
    app::Download,
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

/// `{ registry, package, version }`; a dependency's package is that of its import where it names none.
pub(super) fn read_package(section: &Section<'_>, import: Option<&str>) -> Option<Download> {
    let version = section.require("version", "version = \"1.0.0\"")?;
    let package = match (section.get("package"), import) {
        (Some(node), _) => node.string()?,
        (None, Some(import)) => import::package_name(import).to_owned(),
        (None, None) => section.require("package", "package = \"namespace:name\"")?.string()?,
    };
    let Some(registry) = section.get("registry") else {
        refuse_unnamed(&section.node, &package);
        return None;
    };
    read(&registry, &section.get("package").unwrap_or_else(|| section.node.clone()), &package, &version)
}

/// Says that nobody knows where a package is.
pub(super) fn refuse_unnamed(node: &Node<'_>, package: &str) {
    node.fault(
        format!("no registry is named for `{package}`"),
        "add `registry = \"…\"`: the host, such as `ghcr.io`, under which the package is at `namespace/name`",
    );
}

fn read(registry: &Node<'_>, place: &Node<'_>, package: &str, version: &Node<'_>) -> Option<Download> {
    let (host, wanted) = (registry.string()?, version.string()?);
    if !is_registry(&host) {
        registry.fault(
            format!("`{host}` is no registry"),
            "write its host, such as `ghcr.io`, and `:port` where it needs one or has no dot in it",
        );
        return None;
    }
    let parts =
        package.split_once(':').filter(|(namespace, name)| import::is_plain(namespace) && import::is_plain(name));
    let Some((namespace, name)) = parts else {
        place.fault(format!("`{package}` is no package"), "write it as `namespace:name`");
        return None;
    };
    // What is taken must not depend on the day.
    let exact = wanted.trim_start_matches('=').trim();
    if !import::is_version(exact) {
        version.fault(
            format!("`{wanted}` is not one version"),
            "write the version that is to be taken, such as `1.0.0`; ranges are not served",
        );
        return None;
    }
    Some(Download::Package {
        registry: host,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        version: exact.to_owned(),
    })
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
