//! Whether the files that a manifest names exist.

use std::path::Path;

use super::{
    Fault, Reading,
    app::{Component, FileMount, part_place},
};

/// What to do about a file that is not fetched yet.
const FETCH: &str = "run `plaza build`, which fetches it";

impl Reading {
    /// A fault for every file and folder of the manifest that is not there. Asked once the components are built.
    pub fn missing_files(&self) -> Vec<Fault> {
        let mut faults: Vec<Fault> =
            self.app.components.values().flat_map(|component| self.missing_of(component)).collect();
        faults.sort_by_key(|fault| fault.line);
        faults
    }

    fn missing_of(&self, component: &Component) -> Vec<Fault> {
        let base = self.app.base();
        let mut faults = Vec::new();
        let mut miss = |key: &[&str], path: &Path, remedy: &str| {
            let shown = path.strip_prefix(base).unwrap_or(path).display();
            faults.push(self.fault(&component.id, key, format!("there is no `{shown}`"), remedy));
        };
        if !component.source.as_os_str().is_empty() && !component.source.is_file() {
            let remedy = match (&component.download, &component.build) {
                (Some(_), _) => FETCH,
                (None, Some(_)) => "run `plaza build`, or correct the path",
                (None, None) => "build it, or correct the path",
            };
            miss(&["source"], &component.source, remedy);
        }
        for (key, dependency) in component.parts() {
            // A component of the application that is served or looked at by itself has its own line.
            let told = dependency.component.as_ref().is_some_and(|id| self.app.components.contains_key(id));
            if !told && !dependency.file.as_os_str().is_empty() && !dependency.file.is_file() {
                let remedy = match (&dependency.download, &dependency.component) {
                    (Some(_), _) => FETCH,
                    (None, Some(_)) => "run `plaza build`, or correct the path",
                    (None, None) => "fetch or build it, or correct the path",
                };
                miss(&part_place(&key), &dependency.file, remedy);
            }
        }
        if let Some(build) = component.build.as_ref().filter(|build| !base.join(&build.workdir).is_dir()) {
            miss(&["build", "workdir"], &build.workdir, "name the folder in which the build command runs");
        }
        if let Some(folder) = component.plaza.migrations.as_ref().filter(|folder| !folder.is_dir()) {
            miss(
                &["tool", "plaza", "migrations"],
                folder,
                "name a folder with numbered `.sql` files, or take the line out",
            );
        }
        for mount in &component.files {
            match mount {
                FileMount::Placement { source, .. } if !source.exists() => {
                    miss(&["files"], source, "name a file or a folder that exists");
                }
                FileMount::Pattern(pattern) if !pattern.contains(['*', '?', '[']) && !base.join(pattern).exists() => {
                    miss(&["files"], Path::new(pattern), "name a file that exists, or a pattern");
                }
                _ => {}
            }
        }
        faults
    }
}
