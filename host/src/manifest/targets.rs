//! `targets`: the environments that a build is held against. They mean nothing to a host; it asks only that they are well written.

use super::section::Section;

/// Reads the targets of an application or a component.
pub(super) fn read(section: &Section<'_>) {
    for target in section.get("targets").map(|node| node.list()).unwrap_or_default() {
        if target.is_table()
            && let Some(place) = target.section(&["url", "path"])
        {
            let named = place.string("url").or_else(|| place.string("path"));
            if named.is_none() {
                target.fault("the target says neither `url` nor `path`", "write `{ path = \"environment.toml\" }`");
            }
        } else if !target.is_table() {
            target.string();
        }
    }
}
