//! A host's state folder, for the time of a test.

use std::{
    collections::BTreeMap,
    fs::Permissions,
    io::Error,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use sqlx::{ConnectOptions, postgres::PgConnectOptions};

use crate::disk::SmallDisk;

/// A scratch folder that goes away with the last host that uses it, its Postgres server included.
pub struct StateFolder {
    // Unmounted before the folder is removed.
    disk: Option<SmallDisk>,
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
        Self { disk: None, folder: Some(folder) }
    }

    /// A fresh one on a disk of its own, of so many KiB.
    pub fn on_small_disk(kib: usize) -> Self {
        let mut state = Self::new();
        state.disk = Some(SmallDisk::mount(state.path(), kib));
        state
    }

    /// The disk that [`Self::on_small_disk`] gave it.
    pub fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("it is on a small disk")
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

    /// Every process of the embedded server, also of one whose first process is gone: they work in its data folder.
    pub fn server_processes(&self) -> Vec<u32> {
        let data = self.data();
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter(|process| std::fs::read_link(process.path().join("cwd")).is_ok_and(|folder| folder == data))
            .filter_map(|process| process.file_name().to_str()?.parse().ok())
            .collect()
    }

    /// How the embedded server is entered by its owner.
    pub fn database_owner(&self) -> PgConnectOptions {
        database_owner(self.path()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same as an address, for another host.
    pub fn database_owner_url(&self) -> String {
        let (port, password) = (self.read("postgres-port"), self.read("postgres-password"));
        format!("postgres://plaza_admin:{password}@127.0.0.1:{port}/postgres")
    }

    fn read(&self, name: &str) -> String {
        let path = self.path().join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.trim().to_owned()
    }
}

/// How the embedded server of a host with this state folder is entered by its owner.
pub fn database_owner(folder: &Path) -> std::io::Result<PgConnectOptions> {
    let read = |name: &str| {
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Error::new(error.kind(), format!("{}: {error}", path.display())));
        Ok::<_, Error>(text?.trim().to_owned())
    };
    Ok(PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(read("postgres-port")?.parse().map_err(Error::other)?)
        .username("plaza_admin")
        .password(&read("postgres-password")?)
        .database("postgres")
        .disable_statement_logging())
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

/// Sends a signal, named as `kill` names it, to a process that this test started.
pub fn signal(signal: &str, process: u32) {
    let sent = Command::new("kill").args([signal, &process.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "{signal} could not be sent to {process}");
}

/// Whether a process with this id exists.
pub fn is_running(process: u32) -> bool {
    Command::new("kill").args(["-0", &process.to_string()]).output().is_ok_and(|output| output.status.success())
}

/// The arguments of the running processes that `parent` has started, by their ids. One that has ended has none.
pub fn children(parent: u32) -> BTreeMap<u32, String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    processes
        .filter(|process| parent_of(*process) == Some(parent))
        .map(|process| (process, arguments(process)))
        .collect()
}

/// What a process was started with; empty where it is gone.
pub fn arguments(process: u32) -> String {
    std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default().replace('\0', " ")
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may hold anything; after it come the state and the parent.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
