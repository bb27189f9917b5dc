//! What was pulled, in the state folder: blobs by their digests, and of each artifact a folder by the artifact's digest.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{
    contents::hashed,
    error::{RegistryError, failed},
    hold::take,
    locked::digest_of,
    reference::Reference,
};
use crate::digest::sha256;

/// The folder in the state folder.
const FOLDER: &str = "registry";

/// Folders of artifacts in it.
const APPLICATIONS: &str = "applications";

/// Where what is not finished is made.
const UNFINISHED: &str = "unfinished";

/// Which artifact was pulled last out of each repository: a file by the SHA-256 of its name, with the artifact's digest.
const LAST: &str = "last";

/// Held by one process at a time.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    #[expect(dead_code, reason = "it is held, not used")]
    lock: File,
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Folders of artifacts.
    pub applications: usize,
    /// Files of which no artifact is made any more.
    pub blobs: usize,
    /// What these took on the disk.
    pub bytes: u64,
    /// Folders that would have gone, were they not served.
    pub served: usize,
}

/// The folder of an artifact, if it was pulled into a state folder. It is whole, whoever is pulling there.
///
/// # Errors
/// What is no digest.
pub fn application(state_dir: &Path, digest: &str) -> Result<Option<PathBuf>, RegistryError> {
    Ok(Some(place(&state_dir.join(FOLDER), APPLICATIONS, digest)?).filter(|folder| folder.is_dir()))
}

/// Whether a folder is one of those.
pub fn is_application(folder: &Path) -> bool {
    folder.parent().is_some_and(|parent| parent.ends_with(Path::new(FOLDER).join(APPLICATIONS)))
}

/// Keeps in mind that this was the last artifact pulled out of its repository.
///
/// # Errors
/// When the system refuses.
pub fn remember(state_dir: &Path, reference: &Reference, digest: &str) -> Result<(), RegistryError> {
    let folder = state_dir.join(FOLDER).join(LAST);
    let path = folder.join(sha256(reference.repository()));
    if fs::read_to_string(&path).is_ok_and(|last| last == digest) {
        return Ok(());
    }
    make_folder(&folder)?;
    // Others may do the same at the same time.
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        file.write_all(digest.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)
    };
    write().map(drop).map_err(failed("write", &path))
}

impl Store {
    /// Opens the one in a state folder that is there, once nobody else has it, and clears away what was left half done. `waits` hears of the
    /// folder before it is waited for.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(state_dir: &Path, waits: impl FnOnce(&Path)) -> Result<Self, RegistryError> {
        let folder = state_dir.join(FOLDER);
        make_folder(&folder)?;
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(failed("open", &path))?;
        let locked = match lock.try_lock() {
            Err(TryLockError::WouldBlock) => {
                waits(&folder);
                lock.lock()
            }
            Err(TryLockError::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        locked.map_err(failed("lock", &path))?;
        let store = Self { folder, lock };
        store.clear()?;
        for name in [UNFINISHED, "blobs", APPLICATIONS] {
            make_folder(&store.folder.join(name))?;
        }
        Ok(store)
    }

    /// Where something is made before it is moved to its place.
    pub fn unfinished(&self, name: &str) -> PathBuf {
        self.folder.join(UNFINISHED).join(name)
    }

    /// A blob that is there and is what it must be.
    ///
    /// # Errors
    /// When it cannot be read, or what is wrong cannot be removed.
    pub fn blob(&self, digest: &str) -> Result<Option<PathBuf>, RegistryError> {
        let path = self.place("blobs", digest)?;
        match hashed(&path) {
            Ok((found, _)) if found == digest => Ok(Some(path)),
            Ok(_) => fs::remove_file(&path).map(|()| None).map_err(failed("remove", &path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    /// How much is in a blob, whatever it is; 0 where it is not there.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn bytes_of(&self, digest: &str) -> Result<u64, RegistryError> {
        let path = self.place("blobs", digest)?;
        match fs::metadata(&path) {
            Ok(found) => Ok(found.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    /// Moves a finished file to its place among the blobs, and returns that. That it has this digest the caller knows.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn keep(&self, unfinished: &Path, digest: &str) -> Result<PathBuf, RegistryError> {
        let path = self.place("blobs", digest)?;
        let keep = || {
            // It stands at several places, and nobody is to change it at one of them.
            fs::set_permissions(unfinished, fs::Permissions::from_mode(0o444))?;
            File::open(unfinished)?.sync_all()?;
            fs::rename(unfinished, &path)
        };
        keep().map_err(failed("keep", &path))?;
        Ok(path)
    }

    /// Removes a blob that is needed no more, if it is there.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn discard(&self, digest: &str) -> Result<(), RegistryError> {
        let path = self.place("blobs", digest)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    /// Moves a finished folder to the artifact's place.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(&self, unfinished: &Path, digest: &str) -> Result<PathBuf, RegistryError> {
        let path = self.place(APPLICATIONS, digest)?;
        let finish = || {
            File::open(unfinished)?.sync_all()?;
            fs::rename(unfinished, &path)?;
            File::open(self.folder.join(APPLICATIONS))?.sync_all()
        };
        finish().map_err(failed("make", &path))?;
        Ok(path)
    }

    /// Removes every artifact's folder but those pulled last out of their repositories, those of these digests and those that are held, and
    /// then the blobs of which no folder is made.
    ///
    /// # Errors
    /// What is no digest, and what the system refuses.
    pub fn prune(&self, keep: &[String]) -> Result<Pruned, RegistryError> {
        let digits = |digest: &str| Ok(digits(digest)?.to_owned());
        let mut kept = keep.iter().map(|digest| digits(digest)).collect::<Result<BTreeSet<String>, RegistryError>>()?;
        let last = self.folder.join(LAST);
        make_folder(&last)?;
        for path in entries(&last)? {
            let text = fs::read_to_string(&path).map_err(failed("read", &path))?;
            kept.extend(digest_of(&text).map(str::to_owned));
        }
        let mut pruned = Pruned::default();
        for path in entries(&self.folder.join(APPLICATIONS))? {
            let name = path.file_name().unwrap_or_default();
            if name.to_str().is_some_and(|name| kept.contains(name)) {
                continue;
            }
            let Some(_taken) = take(&path)? else {
                pruned.served += 1;
                continue;
            };
            // What stands at its place is whole or is not there.
            let doomed = self.unfinished("pruned");
            fs::rename(&path, &doomed).and_then(|()| fs::remove_dir_all(&doomed)).map_err(failed("remove", &path))?;
            pruned.applications += 1;
        }
        for path in entries(&self.folder.join("blobs"))? {
            let found = fs::symlink_metadata(&path).map_err(failed("read", &path))?;
            if found.nlink() == 1 {
                fs::remove_file(&path).map_err(failed("remove", &path))?;
                pruned.blobs += 1;
                pruned.bytes += found.len();
            }
        }
        Ok(pruned)
    }

    fn clear(&self) -> Result<(), RegistryError> {
        let unfinished = self.folder.join(UNFINISHED);
        match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("clear", &unfinished)(error)),
            _ => Ok(()),
        }
    }

    fn place(&self, kind: &str, digest: &str) -> Result<PathBuf, RegistryError> {
        place(&self.folder, kind, digest)
    }
}

impl Drop for Store {
    /// What is half done takes room, and nobody goes on with it. What cannot be removed is removed when this is opened again.
    fn drop(&mut self) {
        _ = self.clear();
    }
}

fn place(folder: &Path, kind: &str, digest: &str) -> Result<PathBuf, RegistryError> {
    Ok(folder.join(kind).join(digits(digest)?))
}

/// What is no digest is no name of a file either.
fn digits(digest: &str) -> Result<&str, RegistryError> {
    digest_of(digest).ok_or_else(|| RegistryError::Digest(digest.to_owned()))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, RegistryError> {
    let entries = fs::read_dir(folder).map_err(failed("read", folder))?;
    entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(failed("read", folder))
}

/// Makes a folder and those above it, for this user alone.
fn make_folder(path: &Path) -> Result<(), RegistryError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("make", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    #[test]
    fn a_blob_that_was_changed_on_the_disk_is_not_there() {
        let state = tempfile::tempdir().unwrap();
        let store = Store::open(state.path(), |_| ()).unwrap();
        let unfinished = store.unfinished("one");
        fs::write(&unfinished, "hello").unwrap();
        store.keep(&unfinished, HELLO).unwrap();
        let path = store.blob(HELLO).unwrap().unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&path, "hullo").unwrap();
        assert_eq!(store.blob(HELLO).unwrap(), None);
        assert!(!path.exists());
    }

    #[test]
    fn what_was_left_half_done_is_cleared_away() {
        let state = tempfile::tempdir().unwrap();
        let left = state.path().join("registry/unfinished/application");
        fs::create_dir_all(&left).unwrap();
        let store = Store::open(state.path(), |_| ()).unwrap();
        assert!(!left.exists());
        assert_eq!(application(state.path(), HELLO).unwrap(), None);
        // What fails leaves nothing behind either.
        fs::create_dir_all(&left).unwrap();
        drop(store);
        assert!(!left.exists());
    }

    #[test]
    fn what_is_no_digest_has_no_place() {
        let state = tempfile::tempdir().unwrap();
        let store = Store::open(state.path(), |_| ()).unwrap();
        let made = store.unfinished("application");
        fs::create_dir(&made).unwrap();
        for wrong in [format!("sha512:{}", "a".repeat(128)), HELLO.to_uppercase(), "sha256:..".to_owned()] {
            let error = store.finish(&made, &wrong).unwrap_err().to_string();
            assert!(error.contains("is no digest"), "{error}");
            application(state.path(), &wrong).unwrap_err();
        }
        assert_eq!(entries(&state.path().join("registry/applications")).unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn who_has_to_wait_for_another_is_told_so() {
        let state = tempfile::tempdir().unwrap();
        let first = Store::open(state.path(), |_| panic!("there is nobody to wait for")).unwrap();
        let (told, hears) = std::sync::mpsc::channel();
        let folder = state.path().to_owned();
        let second = std::thread::spawn(move || {
            Store::open(&folder, |waited_for| told.send(waited_for.to_owned()).unwrap()).map(drop)
        });
        assert_eq!(hears.recv().unwrap(), state.path().join("registry"));
        drop(first);
        second.join().unwrap().unwrap();
    }

    #[test]
    fn pruning_leaves_what_was_pulled_last_of_each_repository_and_what_is_named() {
        let state = tempfile::tempdir().unwrap();
        let store = Store::open(state.path(), |_| ()).unwrap();
        let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
        for (letter, reference) in [
            ("a", "localhost:1/one:1"),
            ("b", "localhost:1/one:2"),
            ("c", "localhost:1/two:1"),
            ("d", "localhost:1/one:1"),
        ] {
            let blob = store.unfinished(letter);
            fs::write(&blob, letter).unwrap();
            let blob = store.keep(&blob, &digest(letter)).unwrap();
            let made = store.unfinished("application");
            fs::create_dir(&made).unwrap();
            fs::hard_link(blob, made.join("file")).unwrap();
            store.finish(&made, &digest(letter)).unwrap();
            remember(state.path(), &reference.parse().unwrap(), &digest(letter)).unwrap();
        }
        let pruned = store.prune(&[digest("a")]).unwrap();
        assert_eq!(pruned, Pruned { applications: 1, blobs: 1, bytes: 1, served: 0 });
        for (letter, stays) in [("a", true), ("b", false), ("c", true), ("d", true)] {
            assert_eq!(application(state.path(), &digest(letter)).unwrap().is_some(), stays, "{letter}");
            assert_eq!(store.place("blobs", &digest(letter)).unwrap().exists(), stays, "{letter}");
        }
        assert!(store.prune(&["sha256:a".to_owned()]).is_err());
    }
}
