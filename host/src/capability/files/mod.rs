//! Files of the host that a guest may read.
//!
//! Files are linked (or copied) into a folder of the component's own, so that the guest sees those and nothing beside them. It is
//! the guest's root, as under Spin, and what comes later in the manifest lies over what came before it. Placed folders that
//! have nothing to do with each other are shown as they are. All are read-only.

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
    select::{Excluded, link_pattern, link_placed, place},
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
/// Patterns start from `base`. Files are put into `scratch/<component>`, which is emptied first: give each
/// version of a component a `scratch` of its own while both may run.
///
/// # Errors
/// If a pattern or a source is wrong, a symbolic link leads out, or the file system refuses.
pub fn mounts(component: &Component, base: &Path, scratch: &Path) -> Result<Vec<Mount>, FilesError> {
    // Absolute, and the same whatever way leads there, so that paths can be compared.
    let base = &base.canonicalize().map_err(failed("find", base))?;
    let room = scratch.join(&component.id);
    let excluded = Excluded::parse(base, scratch, &component.exclude_files)?;
    if room.exists() {
        fs::remove_dir_all(&room).map_err(failed("empty", &room))?;
    }
    let Some(folders) = apart(&component.files) else {
        let root = room.join("files");
        link_all(&component.files, base, &root, &excluded)?;
        return Ok(vec![Mount { host: root, guest: "/".to_owned() }]);
    };
    let mount = |(number, (source, destination)): (usize, (&PathBuf, &String))| {
        let host = place(source, room.join(format!("placed-{number}")), &excluded)?;
        Ok(Mount { host, guest: destination.clone() })
    };
    folders.into_iter().enumerate().map(mount).collect()
}

/// Sources and destinations, where these are folders of which none is in another: they need not be put together. A pattern
/// is for the root, in which all others are.
fn apart(files: &[FileMount]) -> Option<Vec<(&PathBuf, &String)>> {
    let mut folders: Vec<(&PathBuf, &String)> = Vec::new();
    for mount in files {
        let FileMount::Placement { source, destination } = mount else { return None };
        let path = below_root(destination);
        let meets = |other: PathBuf| path.starts_with(&other) || other.starts_with(&path);
        if source.is_file() || folders.iter().any(|(_, other)| meets(below_root(other))) {
            return None;
        }
        folders.push((source, destination));
    }
    Some(folders)
}

/// Puts all of it together in `root`, in the manifest's order.
fn link_all(files: &[FileMount], base: &Path, root: &Path, excluded: &Excluded) -> Result<(), FilesError> {
    for mount in files {
        match mount {
            FileMount::Pattern(pattern) => link_pattern(pattern, base, root, excluded)?,
            FileMount::Placement { source, destination } => {
                link_placed(source, root, &below_root(destination), excluded)?;
            }
        }
    }
    Ok(())
}

/// A path of the guest, from its root.
fn below_root(destination: &str) -> PathBuf {
    destination.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect()
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
