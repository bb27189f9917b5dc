//! A state folder that a test may ill-treat.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tempfile::TempDir;

use crate::ground::{copy_initialised, own_folder};

/// A state folder of its own, made by an earlier start that was stopped in order.
pub fn initialised_folder() -> TempDir {
    let parent = TempDir::new_in(own_folder()).unwrap();
    open_to_all(parent.path());
    copy_initialised(&parent.path().join("state"));
    parent
}

/// The server runs under another account when root tests.
fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}
