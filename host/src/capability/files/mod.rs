//! Files of the host that a guest may read.
//!
//! Files selected by a pattern are linked (or copied) into a folder of the component's own, so that the guest sees
//! those and nothing beside them; a placed folder is shown as it is. Both are read-only.

mod error;
mod select;

use std::{
    fs,
    path::{Path, PathBuf},
};

use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

pub use error::FilesError;

use self::{
    error::failed,
    select::{Excluded, link_pattern, place},
};
use crate::manifest::app::{Component, FileMount};

/// A folder of the host at a path of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The folder.
    pub host: PathBuf,
    /// Where the guest finds it.
    pub guest: String,
}

/// Prepares the files of `component` and returns where they are to be shown.
///
/// Patterns start from `base`. Linked files are put into `scratch/<component>`, which is emptied first: give each
/// version of a component a `scratch` of its own while both may run.
///
/// # Errors
/// If a pattern or folder is wrong, a symbolic link leads out, or the file system refuses.
pub fn mounts(component: &Component, base: &Path, scratch: &Path) -> Result<Vec<Mount>, FilesError> {
    // Absolute, and the same whatever way leads there, so that paths can be compared.
    let base = &base.canonicalize().map_err(failed("find", base))?;
    let excluded = Excluded::parse(base, &component.exclude_files)?;
    let room = scratch.join(&component.id);
    if room.exists() {
        fs::remove_dir_all(&room).map_err(failed("empty", &room))?;
    }
    let mut mounts = Vec::new();
    let selected = room.join("files");
    for (number, mount) in component.files.iter().enumerate() {
        match mount {
            FileMount::Pattern(pattern) => {
                link_pattern(pattern, base, &selected, &excluded)?;
                if !mounts.iter().any(|mount: &Mount| mount.host == selected) {
                    mounts.push(Mount { host: selected.clone(), guest: "/".to_owned() });
                }
            }
            FileMount::Placement { source, destination } => {
                let copy = room.join(format!("placed-{number}"));
                let host = place(source, copy, &excluded)?;
                mounts.push(Mount { host, guest: destination.clone() });
            }
        }
    }
    Ok(mounts)
}

/// Shows the files to the guest, which can read but not change them.
///
/// # Errors
/// If a folder has gone.
pub fn preopen(builder: &mut WasiCtxBuilder, mounts: &[Mount]) -> wasmtime::Result<()> {
    for mount in mounts {
        builder.preopened_dir(&mount.host, &mount.guest, FsPerms::ReadOnly)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
