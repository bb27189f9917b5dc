//! Files of the host that a guest may read.
//!
//! Files selected by a pattern are linked (or copied) into a folder of the component's own, so that the guest sees
//! those and nothing beside them; a placed folder is shown as it is. Both are read-only.

use std::{
    fs, io,
    path::{Component as Part, Path, PathBuf},
};

use glob::{MatchOptions, Pattern};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::manifest::app::{Component, FileMount};

/// A folder of the host at a path of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The folder.
    pub host: PathBuf,
    /// Where the guest finds it.
    pub guest: String,
}

/// Why a component's files cannot be shown to it.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A pattern is not one.
    #[error("{pattern:?} is no file pattern: {source}. Use *, ** and ?, as in \"assets/**/*\"")]
    Pattern {
        /// As the manifest has it.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// A path leads out of the manifest's folder.
    #[error("files pattern {0:?} leads out of the manifest's folder; place the folder with source and destination instead")]
    Outside(String),
    /// A folder is not there.
    #[error("files source {} is no folder; create it, or correct `source` in the manifest", .0.display())]
    NoFolder(PathBuf),
    /// A symbolic link leads out of what the component is granted.
    #[error("{} is a symbolic link to {}, outside of the component's files; copy the file, or add the link to exclude_files", link.display(), target.display())]
    Escape {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// The system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

/// Prepares the files of `component` and returns where they are to be shown.
///
/// Patterns start from `base`. Linked files are put into `scratch/<component>`, which is emptied first: give each
/// version of a component a `scratch` of its own while both may run.
///
/// # Errors
/// If a pattern or folder is wrong, a symbolic link leads out, or the file system refuses.
pub fn mounts(component: &Component, base: &Path, scratch: &Path) -> Result<Vec<Mount>, FilesError> {
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
                let source = base.join(source);
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

/// What `exclude_files` leaves out.
struct Excluded {
    base: PathBuf,
    patterns: Vec<Pattern>,
}

impl Excluded {
    fn parse(base: &Path, patterns: &[String]) -> Result<Self, FilesError> {
        let patterns = patterns.iter().map(|pattern| parse(pattern)).collect::<Result<_, _>>()?;
        Ok(Self { base: base.to_owned(), patterns })
    }

    fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    fn has(&self, path: &Path) -> bool {
        let path = path.strip_prefix(&self.base).unwrap_or(path);
        self.patterns.iter().any(|pattern| pattern.matches_path_with(path, MATCHING))
    }
}

/// As in a shell: `*` stays within a folder, and takes files that begin with a dot too.
const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

fn parse(pattern: &str) -> Result<Pattern, FilesError> {
    Pattern::new(pattern).map_err(|source| FilesError::Pattern { pattern: pattern.to_owned(), source })
}

/// Links everything `pattern` selects below `base` into `selected`, under the same relative path.
fn link_pattern(pattern: &str, base: &Path, selected: &Path, excluded: &Excluded) -> Result<(), FilesError> {
    let leads_out = |part| matches!(part, Part::ParentDir | Part::RootDir | Part::Prefix(_));
    if Path::new(pattern).components().any(leads_out) {
        return Err(FilesError::Outside(pattern.to_owned()));
    }
    parse(pattern)?;
    make_folder(selected)?;
    let rooted = format!("{}/{pattern}", Pattern::escape(&base.to_string_lossy()));
    let found = glob::glob_with(&rooted, MATCHING)
        .map_err(|source| FilesError::Pattern { pattern: pattern.to_owned(), source })?;
    let mut any = false;
    for path in found {
        let path = path.map_err(|error| {
            let path = error.path().to_owned();
            FilesError::Io { doing: "read", path, source: error.into() }
        })?;
        any = true;
        let relative = path.strip_prefix(base).unwrap_or(&path).to_owned();
        // A pattern that names a folder means all that is in it.
        link_tree(&path, &selected.join(relative), base, excluded)?;
    }
    if !any {
        tracing::warn!(pattern, folder = %base.display(), "no file matches this pattern of the manifest's `files`");
    }
    Ok(())
}

/// The folder to mount for `source`: itself, or a linked copy where something in it is left out.
fn place(source: PathBuf, copy: PathBuf, excluded: &Excluded) -> Result<PathBuf, FilesError> {
    if !source.is_dir() {
        return Err(FilesError::NoFolder(source));
    }
    if excluded.is_empty() {
        check_links(&source, &source)?;
        return Ok(source);
    }
    make_folder(&copy)?;
    link_tree(&source, &copy, &source, excluded)?;
    Ok(copy)
}

/// Links `from`, a file or a folder with all that is in it, to `to`.
fn link_tree(from: &Path, to: &Path, root: &Path, excluded: &Excluded) -> Result<(), FilesError> {
    if excluded.has(from) {
        return Ok(());
    }
    if from.is_symlink() {
        check_link(from, root)?;
        if from.is_dir() {
            // Followed, a folder that links to one above it would never end.
            return Ok(());
        }
    }
    if from.is_dir() {
        make_folder(to)?;
        for entry in entries(from)? {
            link_tree(&entry, &to.join(entry.file_name().unwrap_or_default()), root, excluded)?;
        }
        return Ok(());
    }
    if to.exists() {
        return Ok(()); // two patterns selected it
    }
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    let file = from.canonicalize().map_err(failed("read", from))?;
    // A link costs nothing, but works only within one file system.
    fs::hard_link(&file, to).or_else(|_| fs::copy(&file, to).map(drop)).map_err(failed("copy", from))
}

/// Refuses links below `folder` that lead out of `root`.
fn check_links(folder: &Path, root: &Path) -> Result<(), FilesError> {
    for entry in entries(folder)? {
        if entry.is_symlink() {
            check_link(&entry, root)?;
        } else if entry.is_dir() {
            check_links(&entry, root)?;
        }
    }
    Ok(())
}

fn check_link(link: &Path, root: &Path) -> Result<(), FilesError> {
    let root = root.canonicalize().map_err(failed("read", root))?;
    let target = link.canonicalize().map_err(failed("follow the link", link))?;
    if target.starts_with(&root) { Ok(()) } else { Err(FilesError::Escape { link: link.to_owned(), target }) }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, FilesError> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let mut entries = read().map_err(failed("read", folder))?;
    entries.sort();
    Ok(entries)
}

fn make_folder(path: &Path) -> Result<(), FilesError> {
    fs::create_dir_all(path).map_err(failed("create", path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FilesError {
    let path = path.to_owned();
    move |source| FilesError::Io { doing, path, source }
}

#[cfg(test)]
mod tests;
