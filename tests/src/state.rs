//! A host's state folder, for the time of a test.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// A scratch folder that goes away with the last host that uses it, its Postgres server included.
pub struct StateFolder {
    folder: Option<tempfile::TempDir>,
}

impl StateFolder {
    /// A fresh one, where the user `postgres` can reach it.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("plaza-test-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .expect("the folder for temporary files can be written");
        Self { folder: Some(folder) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.as_ref().expect("kept until the drop").path()
    }

    /// The `postmaster.pid` of the embedded server, while it runs or after it was killed.
    pub fn postmaster_file(&self) -> Option<PathBuf> {
        find_file(self.path(), "postmaster.pid")
    }

    /// The process id of the embedded server.
    pub fn postmaster(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.postmaster_file()?).ok()?;
        text.lines().next()?.trim().parse().ok()
    }
}

impl Default for StateFolder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for StateFolder {
    fn drop(&mut self) {
        // A killed host leaves its server running; it must not outlive its folder.
        if let Some(server) = self.postmaster() {
            let _ = Command::new("kill").args(["-INT", &server.to_string()]).output();
            while self.postmaster_file().is_some() && is_running(server) {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        if std::env::var_os("PLAZA_KEEP_STATE").is_some() {
            eprintln!("kept {}", self.path().display());
            self.folder.take().map(tempfile::TempDir::keep);
        }
    }
}

/// Whether a process with this id exists.
pub fn is_running(process: u32) -> bool {
    Command::new("kill").args(["-0", &process.to_string()]).output().is_ok_and(|output| output.status.success())
}

/// The first file of this name in or below `folder`.
pub fn find_file(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_name() == name {
                return Some(path);
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            }
        }
    }
    None
}
