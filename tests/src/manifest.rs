//! The shop's manifest, changed as its operator would change it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;

use crate::setup::workspace;

/// A manifest in a folder of its own, beside which everything is that it names. The folder goes with the last owner.
#[derive(Clone)]
pub struct Manifest {
    folder: Arc<TempDir>,
}

impl Manifest {
    /// The shop's, with another line in place of this one, which must be there exactly once.
    pub fn of_the_shop_with(line: &str, other: &str) -> Self {
        let text = fs::read_to_string(workspace().join("spin.toml")).expect("the shop's manifest");
        let found = text.lines().filter(|candidate| *candidate == line).count();
        assert_eq!(found, 1, "the manifest has {found} lines that read {line:?}");
        let changed: Vec<&str> =
            text.lines().map(|candidate| if candidate == line { other } else { candidate }).collect();
        Self::of_text(&changed.join("\n"))
    }

    /// One of this text.
    pub fn of_text(text: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("spin.toml"), text).expect("a manifest can be written");
        for name in ["components", "target"] {
            symlink(workspace().join(name), folder.path().join(name)).expect("a link can be made");
        }
        Self { folder: Arc::new(folder) }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        Path::new(self.folder.path()).join("spin.toml")
    }
}

/// The shop's, as a table.
pub fn application() -> toml::Table {
    let text = fs::read_to_string(workspace().join("spin.toml")).expect("the shop's manifest");
    text.parse().expect("TOML")
}
