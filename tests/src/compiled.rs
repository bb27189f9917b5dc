//! What earlier hosts of the tests have compiled, so that not each of them compiles the same shop again.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::setup::workspace;

/// Compiled components that are kept; the oldest go first.
const KEPT: usize = 40;

/// Lays what is kept into the compile cache of a state folder. The host looks at each file's name, the hash of what it was made of.
pub fn lend(state: &Path) {
    let cache = cache(state);
    // As the host would make it: it lets nobody else in.
    fs::create_dir_all(&cache).and_then(|()| fs::set_permissions(&cache, private())).expect("a folder can be made");
    for file in files(&kept()) {
        link(&file, &cache);
    }
}

/// Keeps what a state folder's host has compiled.
pub fn keep(state: &Path) {
    fs::create_dir_all(kept()).expect("a folder can be made");
    for file in files(&cache(state)) {
        link(&file, &kept());
    }
    let age = |file: &PathBuf| file.metadata().and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut all = files(&kept());
    all.sort_by_key(age);
    for old in all.iter().take(all.len().saturating_sub(KEPT)) {
        let _ = fs::remove_file(old);
    }
}

fn kept() -> PathBuf {
    workspace().join("target/tmp/compiled")
}

fn cache(state: &Path) -> PathBuf {
    state.join("cache")
}

fn private() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o700)
}

/// The finished files of a folder; others are still being written.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "cwasm")).collect()
}

/// The same file in another folder, unless it is there; a copy where the folders are on different disks.
fn link(file: &Path, folder: &Path) {
    let Some(name) = file.file_name() else { return };
    let there = folder.join(name);
    if !there.exists() && fs::hard_link(file, &there).is_err() {
        // Under another name first: nobody must find half a file.
        let part = folder.join(format!("{}.{}", name.display(), std::process::id()));
        let _ = fs::copy(file, &part).and_then(|_| fs::rename(&part, &there));
    }
}
