//! Which imports the host provides.

use crate::denial;

/// Packages that the host implements, with the versions of each; `0.2.*` is any release that begins so.
const PACKAGES: &[(&str, &[&str])] = &[
    ("wasi:cli", WASI),
    ("wasi:clocks", WASI),
    ("wasi:filesystem", WASI),
    ("wasi:http", WASI),
    ("wasi:io", &["0.2.*"]),
    ("wasi:random", WASI),
    ("wasi:sockets", WASI),
    ("wasi:config", &["0.2.0-draft-2024-09-27"]),
    ("wasi:keyvalue", &["0.2.0-draft2"]),
    ("spin:key-value", &["3.0.0"]),
    ("spin:postgres", &["3.0.0", "4.0.0", "4.1.0", "4.2.0"]),
    ("spin:redis", &["3.0.0"]),
    ("spin:sqlite", &["3.0.0", "3.1.0"]),
    ("spin:variables", &["3.0.0"]),
    ("fermyon:spin", &["2.0.0"]),
];
const WASI: &[&str] = &["0.2.*", "0.3.*"];

/// Of `fermyon:spin` only these interfaces.
const FERMYON: &[&str] = &["key-value", "postgres", "rdbms-types", "postgres-types", "redis", "sqlite", "variables"];

/// Whether the host provides an import of this name, be it only to refuse what is asked of it.
pub fn host_serves(import: &str) -> bool {
    if denial::is_refused(import) {
        return true;
    }
    let Some((path, version)) = import.split_once('@') else {
        return false;
    };
    let (package, interface) = path.split_once('/').unwrap_or((path, ""));
    let Some((_, versions)) = PACKAGES.iter().find(|(name, _)| *name == package) else {
        return false;
    };
    versions.iter().any(|known| stands_for(known, version))
        && (package != "fermyon:spin" || FERMYON.contains(&interface))
}

/// Drafts and candidates stand for nothing but themselves.
fn stands_for(known: &str, version: &str) -> bool {
    match known.strip_suffix('*') {
        Some(start) => version.strip_prefix(start).is_some_and(|last| last.parse::<u32>().is_ok()),
        None => version == known,
    }
}

/// Of the grants to a component that imports `import` the first that is of no use: the host refuses what it would be for.
pub fn useless_grant(import: &str, grants: impl Iterator<Item = String>) -> Option<String> {
    let denial::Unserved { schemes, .. } = denial::unserved(import)?;
    grants.into_iter().find(|grant| grant.split_once("://").is_some_and(|(scheme, _)| schemes.contains(&scheme)))
}

/// What to do about an import of a package that the host serves in another version, or not at all.
pub fn remedy(import: &str) -> Option<String> {
    let package = import.split(['/', '@']).next().unwrap_or(import);
    if let Some((_, versions)) = PACKAGES.iter().find(|(name, _)| *name == package) {
        let draft = import.split_once('@').and_then(|(_, version)| version.split_once('-').map(|_| version));
        let draft = draft.map_or(String::new(), |version| format!("; {version} was no release"));
        let versions = versions.join(", ");
        return Some(format!("build it against a version of {package} that is served: {versions}{draft}"));
    }
    ["wasi", "spin", "fermyon"]
        .contains(&package.split(':').next().unwrap_or(package))
        .then(|| format!("{package} is not served yet; build it without"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_implements_is_served_and_nothing_else() {
        for import in [
            "wasi:http/types@0.2.6",
            "wasi:http/client@0.3.0",
            "wasi:clocks/monotonic-clock@0.3.2",
            "wasi:config/store@0.2.0-draft-2024-09-27",
            "spin:key-value/key-value@3.0.0",
            "wasi:keyvalue/atomics@0.2.0-draft2",
            "fermyon:spin/key-value@2.0.0",
            "spin:postgres/postgres@4.2.0",
            "fermyon:spin/postgres@2.0.0",
            "fermyon:spin/sqlite@2.0.0",
            "spin:sqlite/sqlite@3.0.0",
            "fermyon:spin/redis@2.0.0",
            "spin:redis/redis@3.0.0",
            "fermyon:spin/llm@2.0.0",
            "spin:mqtt/mqtt@3.0.0",
            "spin:mysql/mysql@3.0.0",
            "wasi:otel/tracing@0.2.0-rc.2",
            "wasi:blobstore/blobstore@0.2.0-draft-2024-09-01",
        ] {
            assert!(host_serves(import), "{import}");
        }
        for import in [
            "wasi:http/types@0.1.0",
            "wasi:http/outgoing-handler@0.2.0-rc-2023-10-18",
            "wasi:http/types@0.2.0-rc-2023-11-10",
            "wasi:http/client@0.3.0-rc-2026-01-06",
            "wasi:config/store@0.2.0-rc.1",
            "fermyon:spin/config@2.0.0",
            "example:users/directory@1.0.0",
            "wasi:nn/graph@0.2.0",
            "run",
        ] {
            assert!(!host_serves(import), "{import}");
        }
        assert!(remedy("fermyon:spin/config@2.0.0").is_some() && remedy("example:users/directory@1.0.0").is_none());
    }
}
