//! `plaza up -f app.wasm`: a component that has no manifest, as under Spin.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::app;

/// The folder for its manifest, in the state folder.
const FOLDER: &str = "single";

/// Whether a path names a component and no manifest.
pub fn is_component(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wasm") && path.is_file()
}

/// Writes a manifest that serves this component under every path and grants it nothing; returns the folder that it is in.
///
/// # Errors
/// When it cannot be written, or a manifest cannot name the file.
pub fn folder(component: &Path, state_dir: &Path) -> anyhow::Result<PathBuf> {
    let folder = app::state_dir(state_dir)?.join(FOLDER);
    let file = component.canonicalize().with_context(|| format!("cannot find {}", component.display()))?;
    let source = file.to_str().with_context(|| format!("{} is no name for a manifest", file.display()))?;
    let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or(FOLDER);
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = {}\n[[trigger.http]]\nroute = \"/...\"\ncomponent = \"app\"\n\
         [component.app]\nsource = {}\n",
        toml::Value::from(name),
        toml::Value::from(source),
    );
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("spin.toml"), text))
        .with_context(|| format!("cannot write a manifest into {}", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{self, Source};

    #[test]
    fn a_component_alone_is_served_under_every_path() {
        let place = tempfile::tempdir().unwrap();
        let component = place.path().join("it's \"mine\".wasm");
        assert!(!is_component(&component), "it is not there");
        fs::write(&component, "").unwrap();
        assert!(is_component(&component) && !is_component(place.path()));
        let folder = folder(&component, &place.path().join("state")).unwrap();
        let app = manifest::load(&Source::plain(folder.join("spin.toml"))).unwrap();
        assert_eq!(app.name, "it's \"mine\"");
        assert_eq!(app.components["app"].source, component.canonicalize().unwrap());
        assert_eq!(app.routes.len(), 1);
    }
}
