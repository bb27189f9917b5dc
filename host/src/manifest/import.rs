//! Names of imports: which key of `dependencies` speaks of which import, and which versions stand in for one another.

use std::collections::BTreeMap;

/// Who provides an import, by the keys of a component's links: its exact name goes before a compatible version, and that
/// before the whole package.
pub fn provider<'a>(links: &'a BTreeMap<String, String>, import: &str) -> Option<&'a str> {
    line_of(links, import).map(|(_, provider)| provider)
}

/// As [`provider`], with the key that names it.
pub fn line_of<'a>(links: &'a BTreeMap<String, String>, import: &str) -> Option<(&'a str, &'a str)> {
    let exact = links.get_key_value(import);
    let close = || links.iter().find(|(key, _)| key.contains('/') && covers(key, import));
    let package = || links.iter().find(|(key, _)| covers(key, import));
    exact.or_else(close).or_else(package).map(|(key, provider)| (key.as_str(), provider.as_str()))
}

/// Whether a key (`example:users/directory@1.0.0`, `example:users@1.0.0` or `example:users`) speaks of an import.
pub fn covers(key: &str, import: &str) -> bool {
    let whole_package = !key.contains('/');
    let import = if whole_package { package(import) } else { import.to_owned() };
    if key.contains('@') { compatible(key, &import) } else { same_interface(key, &import) }
}

/// Whether a key is written as one: `namespace:package`, perhaps with `/interface` and `@version`.
pub(super) fn is_key(key: &str) -> bool {
    let (path, version) = split_version(key);
    let (package, interface) =
        path.split_once('/').map_or((path, None), |(package, interface)| (package, Some(interface)));
    package.split_once(':').is_some_and(|(namespace, name)| is_plain(namespace) && is_plain(name))
        && interface.is_none_or(is_plain)
        && version.is_none_or(is_version)
}

/// Whether a text is a version: three numbers, perhaps with `-…` and `+…`.
fn is_version(text: &str) -> bool {
    let plain = text.split(['-', '+']).next().unwrap_or(text);
    plain.split('.').count() == 3
        && plain.split('.').all(|number| number.parse::<u64>().is_ok())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
}

/// Whether a key is a word: the name of an import that stands in the world itself.
pub(super) fn is_plain(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The package of a key, with its version.
pub(super) fn package(key: &str) -> String {
    let (path, version) = split_version(key);
    let package = path.split('/').next().unwrap_or(path);
    version.map_or_else(|| package.to_owned(), |version| format!("{package}@{version}"))
}

/// The package of a key, without its version.
pub(super) fn package_name(key: &str) -> &str {
    let path = unversioned(key);
    path.split('/').next().unwrap_or(path)
}

/// Whether an export of one name serves an import of the other: equal, or of the same interface in versions that semantic
/// versioning calls compatible (the component model's rule).
pub fn compatible(one: &str, other: &str) -> bool {
    one == other
        || match (one.split_once('@'), other.split_once('@')) {
            (Some((one, its)), Some((other, others))) => {
                one == other && track(its).is_some() && track(its) == track(others)
            }
            _ => false,
        }
}

/// Whether both are the same interface, in whatever version.
pub fn same_interface(one: &str, other: &str) -> bool {
    unversioned(one) == unversioned(other)
}

fn unversioned(name: &str) -> &str {
    split_version(name).0
}

fn split_version(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)))
}

/// What compatible versions have in common: `1` of 1.2.3, `0.2` of 0.2.6. Pre-releases and 0.0.x are compatible with nothing.
fn track(version: &str) -> Option<&str> {
    let version = version.split_once('+').map_or(version, |(version, _)| version);
    if version.contains('-') {
        return None;
    }
    let mut numbers = version.split('.');
    let (major, minor) = (numbers.next()?, numbers.next()?);
    match (major, minor) {
        ("0", "0") => None,
        ("0", _) => version.get(..major.len() + 1 + minor.len()),
        _ => Some(major),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compatible_as_semantic_versioning_says() {
        for (one, other, expected) in [
            ("a:b/c@1.2.0", "a:b/c@1.0.0", true),
            ("a:b/c@1.0.0", "a:b/c@2.0.0", false),
            ("a:b/c@0.2.0", "a:b/c@0.2.6", true),
            ("a:b/c@0.2.0", "a:b/c@0.3.0", false),
            ("a:b/c@0.20.0", "a:b/c@0.2.0", false),
            ("a:b/c@0.0.1", "a:b/c@0.0.1", true),
            ("a:b/c@0.0.1", "a:b/c@0.0.2", false),
            ("a:b/c@1.0.0-rc.1", "a:b/c@1.0.0", false),
            ("a:b/c@1.0.0-rc.1", "a:b/c@1.0.0-rc.1", true),
            ("a:b/c", "a:b/c@1.0.0", false),
            ("a:b/c@1.0.0", "a:b/d@1.0.0", false),
        ] {
            assert_eq!(compatible(one, other), expected, "{one} {other}");
            assert_eq!(compatible(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn a_key_speaks_of_an_interface_or_of_a_whole_package() {
        for (key, import, expected) in [
            ("example:users/directory@1.0.0", "example:users/directory@1.0.0", true),
            ("example:users/directory@1.0.0", "example:users/directory@1.3.0", true),
            ("example:users/directory", "example:users/directory@2.0.0", true),
            ("example:users@1.0.0", "example:users/directory@1.1.0", true),
            ("example:users", "example:users/directory@1.1.0", true),
            ("example:users@2.0.0", "example:users/directory@1.1.0", false),
            ("example:users/other@1.0.0", "example:users/directory@1.0.0", false),
            ("example:user", "example:users/directory@1.0.0", false),
        ] {
            assert_eq!(covers(key, import), expected, "{key} {import}");
        }
    }

    #[test]
    fn the_closest_key_names_the_provider() {
        let links =
            [("a:b", "package"), ("a:b/c@1.0.0", "interface")].map(|(key, id)| (key.to_owned(), id.to_owned())).into();
        assert_eq!(provider(&links, "a:b/c@1.2.0"), Some("interface"));
        assert_eq!(provider(&links, "a:b/d@1.2.0"), Some("package"));
        assert_eq!(provider(&links, "a:x/d@1.2.0"), None);
    }

    #[test]
    fn keys_are_package_names() {
        assert!(["a:b", "a:b/c", "a:b-c/d@1.0.0", "a:b@0.2.0-rc.1"].into_iter().all(is_key));
        assert!(!["a", "a:b@1", "a:b/", ":b", "a:b/c/d", "a b:c", "a:b@x.y.z"].into_iter().any(is_key));
    }
}
