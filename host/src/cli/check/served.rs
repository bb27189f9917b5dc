//! Which imports the host provides.

/// Packages that the host implements, with the versions of each; `0.2.*` is any version that begins so.
const PACKAGES: &[(&str, &[&str])] = &[
    ("wasi:cli", WASI),
    ("wasi:clocks", WASI),
    ("wasi:filesystem", WASI),
    ("wasi:http", WASI),
    ("wasi:io", &["0.2.*"]),
    ("wasi:random", WASI),
    ("wasi:sockets", WASI),
    ("wasi:config", &["0.2.*"]),
    ("spin:postgres", &["3.0.0", "4.0.0", "4.1.0", "4.2.0"]),
    ("spin:variables", &["3.0.0"]),
    ("fermyon:spin", &["2.0.0"]),
];
const WASI: &[&str] = &["0.2.*", "0.3.0"];

/// Of `fermyon:spin` only these interfaces.
const FERMYON: &[&str] = &["postgres", "rdbms-types", "postgres-types", "variables"];

/// Whether the host provides an import of this name.
pub fn host_serves(import: &str) -> bool {
    let Some((path, version)) = import.split_once('@') else {
        return false;
    };
    let (package, interface) = path.split_once('/').unwrap_or((path, ""));
    let Some((_, versions)) = PACKAGES.iter().find(|(name, _)| *name == package) else {
        return false;
    };
    let known = versions.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => version.starts_with(start),
        None => version == *known,
    });
    known && (package != "fermyon:spin" || FERMYON.contains(&interface))
}

/// What to do about an import of a package that the host serves in another version, or not at all.
pub(super) fn remedy(import: &str) -> Option<String> {
    let package = import.split(['/', '@']).next().unwrap_or(import);
    if let Some((_, versions)) = PACKAGES.iter().find(|(name, _)| *name == package) {
        return Some(format!("build it against a version of {package} that is served: {}", versions.join(", ")));
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
            "wasi:config/store@0.2.0-draft-2024-09-27",
            "spin:postgres/postgres@4.2.0",
            "fermyon:spin/postgres@2.0.0",
        ] {
            assert!(host_serves(import), "{import}");
        }
        for import in [
            "wasi:http/types@0.1.0",
            "fermyon:spin/llm@2.0.0",
            "example:users/directory@1.0.0",
            "wasi:nn/graph@0.2.0",
            "run",
        ] {
            assert!(!host_serves(import), "{import}");
        }
        assert!(remedy("fermyon:spin/llm@2.0.0").is_some() && remedy("example:users/directory@1.0.0").is_none());
    }
}
