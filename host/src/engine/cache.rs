//! Compiled components, kept in a folder: a file for each component and engine.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use uuid::Uuid;

/// What has not been used for so long is removed when something new comes. Versions that can be gone back to are compiled
/// again then; so is everything after an update of the host, whose former files nobody uses any more.
const UNUSED_TIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How the files end that are kept.
const COMPILED: &str = "cwasm";

/// How those end that are being written.
const DRAFT: &str = "draft";

/// The folder.
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache in this folder, which is made where it is missing.
    pub(super) fn in_folder(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the compile cache {}", folder.display()))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where the component of this hash is kept, compiled by an engine that `compatibility` stands for.
    pub(super) fn place(&self, hash: &str, compatibility: &str) -> PathBuf {
        self.folder.join(format!("{hash}-{compatibility}.{COMPILED}"))
    }

    /// Keeps compiled code at its place, whole or not at all, and lets go of what has not been used for long.
    pub(super) fn keep(&self, place: &Path, compiled: &[u8]) -> anyhow::Result<()> {
        if let Err(error) = self.tidy_up() {
            tracing::warn!(%error, "old files of the compile cache could not be removed");
        }
        // Several components may have the same bytes, and several hosts one folder: each writes a draft of its own.
        let draft = place.with_extension(format!("{}.{DRAFT}", Uuid::new_v4().simple()));
        let written = fs::write(&draft, compiled).and_then(|()| fs::rename(&draft, place));
        if written.is_err() {
            _ = fs::remove_file(&draft);
        }
        written.with_context(|| {
            let folder = self.folder.display();
            format!("cannot write the compile cache {folder}; see that it is writable and its disk has room")
        })
    }

    /// Removes what is old. What runs from a file goes on when the file is gone.
    fn tidy_up(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            let is_ours = path.extension().is_some_and(|end| end == COMPILED || end == DRAFT);
            // Another host may have removed it in the meantime.
            let Ok(used) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
            if is_ours && used.elapsed().is_ok_and(|unused| unused > UNUSED_TIME) {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Notes that a file is in use. Where that cannot be noted, it only seems older than it is.
pub(super) fn used(file: &Path) {
    _ = File::open(file).and_then(|file| file.set_modified(SystemTime::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_long_goes_when_something_new_comes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path()).unwrap();
        let [old, in_use, new] = ["a", "b", "c"].map(|hash| cache.place(hash, "engine"));
        let foreign = folder.path().join("notes.txt");
        for file in [&old, &in_use, &foreign] {
            fs::write(file, "code").unwrap();
            let long_ago = SystemTime::now() - UNUSED_TIME - Duration::from_secs(60);
            File::options().write(true).open(file).unwrap().set_modified(long_ago).unwrap();
        }
        used(&in_use);
        cache.keep(&new, b"code").unwrap();
        let there = [&old, &in_use, &new, &foreign].map(|file| file.exists());
        assert_eq!(there, [false, true, true, true]);
    }
}
