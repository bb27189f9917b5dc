//! What earlier hosts of the tests have compiled, so that not each of them compiles the same shop again.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::setup::workspace;

/// Compiled components that are kept; those that were not used for longest go first.
const KEPT: usize = 200;

/// Lays what is kept into the compile cache of a state folder that has none yet, and tells whether it has. The host looks at each
/// file's name, the hash of what it was made of.
pub fn lend(state: &Path) -> bool {
    let cache = cache(state);
    // As the host would make it: it lets nobody else in.
    let fresh = fs::create_dir(&cache).and_then(|()| fs::set_permissions(&cache, private())).is_ok();
    if fresh {
        files(&kept()).iter().for_each(|file| lay(file, &cache));
    }
    fresh
}

/// Keeps what a state folder's host has compiled at its first start. What is deployed later is not kept: there, compiling is part
/// of what is tested.
pub fn keep(state: &Path) {
    fs::create_dir_all(kept()).expect("a folder can be made");
    for file in files(&cache(state)) {
        copy(&file, &kept());
    }
    let age = |file: &PathBuf| file.metadata().and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut all = files(&kept());
    all.sort_by_cached_key(age);
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

/// The same file in another folder, without taking room there.
fn lay(file: &Path, folder: &Path) {
    let Some(name) = file.file_name() else { return };
    // Folders on two disks cannot share a file.
    let _ = fs::hard_link(file, folder.join(name)).or_else(|_| symlink(file, folder.join(name)));
}

/// The same file in another folder, unless it is there.
fn copy(file: &Path, folder: &Path) {
    let Some(name) = file.file_name() else { return };
    let there = folder.join(name);
    if !there.exists() && fs::hard_link(file, &there).is_err() {
        // Under another name first: nobody must find half a file.
        let part = folder.join(format!("{}.{}", name.display(), std::process::id()));
        let _ = fs::copy(file, &part).and_then(|_| fs::rename(&part, &there));
    }
}
