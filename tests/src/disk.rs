//! A disk that is small enough to be filled.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// Bytes written at once while filling, at first: halved whenever they no longer fit.
const PIECE: usize = 1024 * 1024;

/// A file system in memory, mounted on a folder until this is dropped. Mounting is root's right.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one of so many KiB on `folder`.
    pub fn mount(folder: &Path, kib: usize) -> Self {
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k,mode=755"), "plaza-test"])
            .arg(folder));
        Self { folder: folder.to_owned() }
    }

    /// Makes it larger, as an operator would.
    pub fn grow(&self, kib: usize) {
        run(Command::new("mount").args(["-o", &format!("remount,size={kib}k")]).arg(&self.folder));
    }

    /// Writes until not a single byte fits.
    pub fn fill(&self) {
        let mut file = File::options().append(true).create(true).open(self.filler()).expect("a file can be opened");
        let mut piece = vec![0; PIECE];
        while !piece.is_empty() {
            match file.write(&piece) {
                Ok(0) => piece.truncate(piece.len() / 2),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => piece.truncate(piece.len() / 2),
                Err(error) => panic!("filling the disk: {error}"),
            }
        }
    }

    /// Frees what [`Self::fill`] took.
    pub fn free(&self) {
        std::fs::remove_file(self.filler()).expect("it was filled");
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: what still has a file open there must not keep it mounted for ever.
        run(Command::new("umount").arg("--lazy").arg(&self.folder));
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("it can be run");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
