//! Selects files, and links them to where they are shown from.

use std::{
    fs, io,
    path::{Component as Part, Path, PathBuf},
};

use glob::{MatchOptions, Pattern};

use super::error::{FilesError, failed};

/// What `exclude_files` leaves out, and where files are put themselves.
pub(super) struct Excluded {
    base: PathBuf,
    room: PathBuf,
    patterns: Vec<Pattern>,
}

impl Excluded {
    /// `room` is where files are put, which may be below what is put there.
    pub(super) fn parse(base: &Path, room: &Path, patterns: &[String]) -> Result<Self, FilesError> {
        let patterns = patterns.iter().map(|pattern| parse(pattern)).collect::<Result<_, _>>()?;
        let room = std::path::absolute(room).unwrap_or_else(|_| room.to_owned());
        Ok(Self { base: base.to_owned(), room, patterns })
    }

    fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    fn has(&self, path: &Path) -> bool {
        if path.starts_with(&self.room) {
            return true;
        }
        let path = path.strip_prefix(&self.base).unwrap_or(path);
        // Unlike those that select, these patterns mean by `*` what is in folders, too; so they do under Spin.
        self.patterns.iter().any(|pattern| pattern.matches_path(path))
    }
}

/// As in a shell: `*` stays within a folder, and takes files that begin with a dot too.
const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

fn parse(pattern: &str) -> Result<Pattern, FilesError> {
    Pattern::new(pattern).map_err(|source| FilesError::Pattern { pattern: pattern.to_owned(), source })
}

/// Links everything `pattern` selects below `base` into `selected`, under the same relative path.
pub(super) fn link_pattern(pattern: &str, base: &Path, selected: &Path, excluded: &Excluded) -> Result<(), FilesError> {
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
pub(super) fn place(source: &Path, copy: PathBuf, excluded: &Excluded) -> Result<PathBuf, FilesError> {
    let source = find(source)?;
    if excluded.is_empty() {
        check_links(&source, &source)?;
        return Ok(source);
    }
    make_folder(&copy)?;
    link_tree(&source, &copy, &source, excluded)?;
    Ok(copy)
}

/// Links `source`, a file or a folder, to where it is placed below `root`.
pub(super) fn link_placed(source: &Path, root: &Path, place: &Path, excluded: &Excluded) -> Result<(), FilesError> {
    let source = find(source)?;
    if source.is_file() && place.as_os_str().is_empty() {
        return Err(FilesError::Nameless(source));
    }
    make_folder(root)?;
    link_tree(&source, &root.join(place), &source, excluded)
}

/// Where a placement's source really is.
fn find(source: &Path) -> Result<PathBuf, FilesError> {
    if !source.exists() {
        return Err(FilesError::Missing(source.to_owned()));
    }
    source.canonicalize().map_err(failed("find", source))
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
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    // What stands there already may be a link: to write into it would change the file that it leads to.
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("replace", to)(error)),
        _ => {}
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
