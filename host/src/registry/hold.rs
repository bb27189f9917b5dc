//! Folders of applications that somebody serves, which `prune` leaves where they are.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

use super::error::{RegistryError, failed};

/// A folder that stays for as long as this is kept, or the process lives.
#[derive(Debug)]
pub struct Hold {
    lock: File,
}

impl Drop for Hold {
    /// Closing it would not do for as long as a process that is just being started has a copy.
    fn drop(&mut self) {
        _ = self.lock.unlock();
    }
}

/// Holds a folder, with whoever else does; `None` where it was removed in the meantime.
///
/// # Errors
/// When the system refuses.
pub fn hold(folder: &Path) -> Result<Option<Hold>, RegistryError> {
    let held = || {
        let lock = File::open(folder)?;
        lock.lock_shared()?;
        // Who removes it moves it away first, and may have done so before this was locked.
        let is_there = fs::metadata(folder)?.ino() == lock.metadata()?.ino();
        io::Result::Ok(is_there.then_some(Hold { lock }))
    };
    match held() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        held => held.map_err(failed("hold", folder)),
    }
}

/// Takes a folder that is to be removed, for as long as this is kept; `None` where somebody holds it.
///
/// # Errors
/// When the system refuses.
pub fn take(folder: &Path) -> Result<Option<Hold>, RegistryError> {
    let lock = File::open(folder).map_err(failed("open", folder))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(Hold { lock })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed("lock", folder)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_hold_nobody_takes_until_all_have_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (hold(folder.path()).unwrap(), hold(folder.path()).unwrap());
        assert!(first.is_some() && take(folder.path()).unwrap().is_none());
        drop(first);
        assert!(take(folder.path()).unwrap().is_none());
        drop(second);
        assert!(take(folder.path()).unwrap().is_some());
    }

    #[test]
    fn what_was_removed_is_not_held() {
        let folder = tempfile::tempdir().unwrap();
        let [place, doomed] = ["place", "doomed"].map(|name| folder.path().join(name));
        assert!(hold(&place).unwrap().is_none());
        fs::create_dir(&place).unwrap();
        assert!(hold(&place).unwrap().is_some());
        fs::rename(&place, doomed).unwrap();
        assert!(hold(&place).unwrap().is_none());
    }
}
