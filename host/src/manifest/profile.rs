//! `[component.<id>.profile.<name>]`: what a component has in place of its own where that build profile is asked for.

use std::collections::BTreeMap;

use super::{
    Draft, name,
    section::{Node, Section},
};

pub(super) const KEYS: &[&str] = &["source", "environment", "dependencies", "build"];

/// The profiles of a component. The one that is asked for is in force.
pub(super) struct Profiles<'a> {
    asked: Option<Section<'a>>,
}

impl<'a> Profiles<'a> {
    /// Reads the profiles, and checks those that are not asked for too.
    pub(super) fn read(component: &Section<'a>, draft: &mut Draft) -> Self {
        let mut asked = None;
        for (name, node) in component.get("profile").map(|node| node.entries()).unwrap_or_default() {
            let Some(section) = node.section(KEYS) else { continue };
            if draft.profile.as_deref() == Some(&*name) {
                asked = Some(section);
            }
            draft.profiles.insert(name);
        }
        Self { asked }
    }

    /// A key of the profile in force.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.asked.as_ref()?.get(key)
    }

    /// The entries of a table of the component, with those of the profile in force in place of theirs.
    pub(super) fn entries(&self, component: &Section<'a>, key: &str) -> Vec<(String, Node<'a>)> {
        let entries = |node: Option<Node<'a>>| node.map(|node| node.entries()).unwrap_or_default();
        let all: BTreeMap<_, _> = entries(component.get(key)).into_iter().chain(entries(self.get(key))).collect();
        all.into_iter().collect()
    }
}

/// A profile that no component has is a slip.
pub(super) fn unknown(draft: &Draft) -> Option<(String, String)> {
    let asked = draft.profile.as_deref().filter(|asked| !draft.profiles.contains(*asked))?;
    let remedy = name::did_you_mean(asked, draft.profiles.iter().map(String::as_str));
    Some((format!("no component has a profile `{asked}`"), remedy))
}
