//! The folder of a pulled application: its manifest, and beside it everything that the manifest names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Component as Part, Path, PathBuf},
};

use super::{
    contents::{too_many, too_much},
    error::{RegistryError, failed},
    locked::{
        Content, Locked, LockedFile, Unservable, component_file, dependency_file, files_folder, migrations_folder,
    },
    reference::Reference,
    store::Store,
};
use crate::{
    limits::{REGISTRY_APPLICATION_BYTES, REGISTRY_FILES},
    manifest::{
        Source,
        app::{App, FileMount},
        read,
    },
};

/// Why a locked application cannot be laid out.
const BROKEN: &str = "its locked application names what none of its layers holds";

/// Makes the folder, with what is among the blobs already, and sees to it that all of it is on the disk. Names in a locked application come
/// from outside: `manifest` was made of it, so they were found to lead nowhere else. What it says is looked through once more, read as a
/// start reads it.
///
/// # Errors
/// When something is not there, there is too much of it, the manifest says something else than the locked application, or the system
/// refuses.
pub fn lay_out(
    locked: &Locked,
    manifest: &str,
    reference: &Reference,
    store: &Store,
    into: &Path,
) -> Result<(), RegistryError> {
    let broken = |why: String| RegistryError::NoApplication { reference: reference.to_string(), why };
    let files = contents(locked).map_err(|error| broken(error.to_string()))?;
    bounded(&files, reference, store)?;
    let mut folders = BTreeSet::from([into.to_owned()]);
    make(into)?;
    for (path, content) in files {
        let path = into.join(path);
        let folder = path.parent().unwrap_or(into);
        make(folder)?;
        folders.extend(folder.ancestors().take_while(|above| *above != into).map(Path::to_owned));
        match (&content.inline, content.sha256()) {
            (Some(bytes), _) => write(&path, bytes)?,
            (None, Some(digest)) => {
                let blob = store.blob(&format!("sha256:{digest}"))?.ok_or_else(|| broken(BROKEN.to_owned()))?;
                place(&blob, &path)?;
            }
            (None, None) => return Err(broken(BROKEN.to_owned())),
        }
    }
    for component in &locked.components {
        // Folders that the manifest names are there, be they empty.
        if component.has_migrations().unwrap_or_default() {
            let folder = into.join(migrations_folder(&component.id));
            make(&folder)?;
            folders.extend(folder.ancestors().take_while(|above| *above != into).map(Path::to_owned));
        }
    }
    write(&into.join("spin.toml"), format!("# Made of {reference}.\n{manifest}").as_bytes())?;
    for folder in folders {
        File::open(&folder).and_then(|folder| folder.sync_all()).map_err(failed("write", &folder))?;
    }
    says_the_same(locked, into).map_err(|why| RegistryError::Unservable { reference: reference.to_string(), why })
}

/// Every file by its path in the folder.
fn contents(locked: &Locked) -> serde_json::Result<BTreeMap<PathBuf, Content>> {
    let mut files = BTreeMap::new();
    for component in &locked.components {
        files.insert(component_file(&component.id).into(), component.source.content.clone());
        for dependency in component.parts() {
            if let Some(digest) = dependency.source.content.sha256() {
                // It may be a dependency of others as well: its content is what its name says.
                files.insert(dependency_file(&digest).into(), dependency.source.content.clone());
            }
        }
        let below = |folder: String, found: Vec<LockedFile>| {
            found.into_iter().map(move |file| (Path::new(&folder).join(file.path), file.content))
        };
        files.extend(below(files_folder(&component.id), component.files.clone()));
        files.extend(below(migrations_folder(&component.id), component.migrations()?));
    }
    Ok(files)
}

/// There is no more than is taken, even where nothing can be linked and each file takes its own room.
fn bounded(files: &BTreeMap<PathBuf, Content>, reference: &Reference, store: &Store) -> Result<(), RegistryError> {
    if files.len() > REGISTRY_FILES {
        return Err(too_many(reference.to_string(), files.len()));
    }
    let mut bytes = 0_u64;
    for content in files.values() {
        let own = match (&content.inline, &content.digest) {
            (Some(inline), _) => inline.len() as u64,
            (None, Some(digest)) => store.bytes_of(digest)?,
            (None, None) => 0,
        };
        bytes = bytes.saturating_add(own);
    }
    match bytes > REGISTRY_APPLICATION_BYTES {
        true => Err(too_much(reference.to_string(), bytes, REGISTRY_APPLICATION_BYTES)),
        false => Ok(()),
    }
}

/// A link costs nothing, but works only within one file system.
fn place(blob: &Path, path: &Path) -> Result<(), RegistryError> {
    let placed = match fs::hard_link(blob, path) {
        // To write there would be to write into another's file.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => copy(blob, path),
        placed => placed,
    };
    placed.map_err(failed("write", path))
}

fn copy(blob: &Path, path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o444).open(path)?;
    io::copy(&mut File::open(blob)?, &mut file)?;
    file.sync_all()
}

/// Writes a file where none is yet: one that is there may be linked from elsewhere.
fn write(path: &Path, bytes: &[u8]) -> Result<(), RegistryError> {
    let write = || {
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(failed("write", path))
}

fn make(folder: &Path) -> Result<(), RegistryError> {
    fs::create_dir_all(folder).map_err(failed("make", folder))
}

/// What the manifest says, read as a start reads it, is what was locked, and nothing of it is outside of the folder. What is wrong with it
/// otherwise is told by whoever serves it.
fn says_the_same(locked: &Locked, folder: &Path) -> Result<(), Unservable> {
    let reading = read(&Source::plain(folder.join("spin.toml")));
    let ids: BTreeSet<&str> = locked.components.iter().map(|component| component.id.as_str()).collect();
    let found: BTreeSet<&str> = reading.app.components.keys().map(String::as_str).collect();
    let missing = ids.difference(&found).filter(|_| reading.faults.is_empty());
    if let Some(id) = found.difference(&ids).chain(missing).next() {
        return Err(Unservable::Outside(format!("the component `{id}` is not the same in both")));
    }
    match outside(&reading.app, folder) {
        Some(what) => Err(Unservable::Outside(what)),
        None => Ok(()),
    }
}

/// Something that the manifest names and that is not in its folder.
fn outside(app: &App, folder: &Path) -> Option<String> {
    if let Some(download) = app.downloads().first() {
        return Some(download.to_string());
    }
    let mut named: Vec<&Path> = Vec::new();
    for component in app.components.values() {
        if component.build.is_some() {
            return Some(format!("`{}` is to be built", component.id));
        }
        named.extend(component.plaza.migrations.as_deref());
        let dependencies = component.parts().map(|(_, part)| part).chain(component.under_spin.values());
        named.extend([&component.source].into_iter().chain(dependencies.map(|one| &one.file)).map(PathBuf::as_path));
        for mount in &component.files {
            match mount {
                FileMount::Placement { source, .. } => named.push(source),
                FileMount::Pattern(pattern) => return Some(pattern.clone()),
            }
        }
    }
    // Where something is wrong with a name, there is no path.
    let mut named = named.into_iter().filter(|path| !path.as_os_str().is_empty());
    let is_inside = |path: &Path| {
        let below = path.strip_prefix(folder);
        below.is_ok_and(|below| below.components().all(|part| matches!(part, Part::Normal(_))))
    };
    named.find(|path| !is_inside(path)).map(|path| path.display().to_string())
}

#[cfg(test)]
mod tests;
