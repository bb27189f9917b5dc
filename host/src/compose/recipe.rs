//! What a component was composed with, so that one can tell whether it would become something else now.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::Files;
use crate::manifest::app::{Component, Composed};

/// What a component was composed with; nothing where it has no parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    dependencies: BTreeMap<String, Composed>,
    /// Outermost first.
    middleware: Vec<Composed>,
    links: BTreeMap<String, String>,
    /// SHA-256 of each file that was composed in.
    files: BTreeMap<PathBuf, String>,
}

impl Recipe {
    /// What the manifest says of a component; which files that takes is to be noted.
    pub(super) fn of(component: &Component) -> Self {
        let (dependencies, middleware) = (component.composed.clone(), component.middleware.clone());
        // Which import a link serves, no dependency does. Without parts that makes no difference.
        let links = if component.has_parts() { component.links.clone() } else { BTreeMap::new() };
        Self { dependencies, middleware, links, files: BTreeMap::new() }
    }

    /// Notes the hash of what a file held that was composed in.
    pub(super) fn took(&mut self, file: &Path, hash: &str) {
        self.files.insert(file.to_owned(), hash.to_owned());
    }

    /// Whether the manifest still says the same of the component.
    pub fn is_as_in(&self, component: &Component) -> bool {
        let Self { dependencies, middleware, links, files: _ } = Self::of(component);
        (&self.dependencies, &self.middleware, &self.links) == (&dependencies, &middleware, &links)
    }

    /// The files that hold something else in `files`. One that is not known there says nothing.
    pub fn renewed_files(&self, files: &Files) -> Vec<&Path> {
        let renewed = |(file, hash): &(&Path, &str)| files.hash(file).is_some_and(|other| other != *hash);
        self.files().filter(renewed).map(|(file, _)| file).collect()
    }

    /// Each file that was composed in, and SHA-256 of what it held, in hexadecimal.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.files.iter().map(|(file, hash)| (file.as_path(), hash.as_str()))
    }
}
