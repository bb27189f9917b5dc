//! A host's state folder, for the time of a test.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use sqlx::{ConnectOptions, postgres::PgConnectOptions};

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

    /// The data folder of the embedded server.
    pub fn data(&self) -> PathBuf {
        self.path().join("postgres")
    }

    /// The process id of the embedded server, while it runs.
    pub fn postmaster(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok().filter(|process| is_running(*process))
    }

    /// How the embedded server is entered by its owner.
    pub fn database_owner(&self) -> PgConnectOptions {
        let read = |name: &str| {
            let path = self.path().join(name);
            std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
                .trim()
                .to_owned()
        };
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(read("postgres-port").parse().expect("a port"))
            .username("plaza_admin")
            .password(&read("postgres-password"))
            .disable_statement_logging()
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
            while self.postmaster().is_some() {
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
