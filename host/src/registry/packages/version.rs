//! Versions of a package, which are its tags.

use semver::{Version, VersionReq};

/// The tag of a version: a tag has no `+`.
pub fn tag(version: &Version) -> String {
    version.to_string().replace('+', "_")
}

/// The versions among these tags, the newest last.
pub fn versions(tags: &[String]) -> Vec<Version> {
    let mut versions: Vec<Version> = tags.iter().filter_map(|tag| tag.replace('_', "+").parse().ok()).collect();
    versions.sort();
    versions
}

/// The newest that a requirement lets in.
pub fn newest<'a>(versions: &'a [Version], these: &VersionReq) -> Option<&'a Version> {
    versions.iter().rev().find(|version| these.matches(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_fits_is_taken_and_what_is_no_version_passed_over() {
        let tags =
            ["1.9.0", "latest", "1.10.0_build.5", "v3.0.0", "2.0.0", "2.1.0-rc.1", "sha256-ab"].map(str::to_owned);
        let versions = versions(&tags);
        for (these, found) in [
            ("1", Some("1.10.0_build.5")),
            ("^1.0, <1.10", Some("1.9.0")),
            (">=1", Some("2.0.0")),
            ("=2.1.0-rc.1", Some("2.1.0-rc.1")),
            ("*", Some("2.0.0")),
            ("3", None),
        ] {
            assert_eq!(newest(&versions, &these.parse().unwrap()).map(tag).as_deref(), found, "{these}");
        }
    }
}
