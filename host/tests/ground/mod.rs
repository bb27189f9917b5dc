//! The ground that tests of the database stand on: state folders that are ready to start, and one server to share.

use std::{
    fs::{self, OpenOptions},
    future::Future,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use plaza::database::{ComponentDatabase, Database, DatabaseSettings};
use sqlx::{Connection, PgConnection};
use tokio::runtime::Runtime;

/// What a condition is waited for at most. Machines of continuous integration are slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the servers of some test binaries need at once.
#[cfg(target_os = "linux")]
const ROOM_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// A server that all tests of a binary share, on a runtime that outlives each of them. It ends with the process.
pub struct Shared {
    pub runtime: Runtime,
    pub database: Database,
}

/// The shared server.
pub static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    apart(|| {
        let runtime = Runtime::new().unwrap();
        let folder = own_folder().join("shared");
        copy_initialised(&folder);
        let database = runtime.block_on(Database::start(&settings(&folder))).unwrap();
        Shared { runtime, database }
    })
});

/// A stopped server's state folder, to be copied: `initdb` is slow.
static INITIALISED: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = own_folder().join("initialised");
    apart(move || {
        Runtime::new().unwrap().block_on(async {
            let database = Database::start(&settings(&folder)).await.unwrap();
            database.stop().await.unwrap();
        });
        // Tests kill processes, not machines; waiting for the disk would only make them slow.
        let mut configuration = OpenOptions::new().append(true).open(folder.join("postgres/postgresql.conf")).unwrap();
        writeln!(configuration, "fsync = off").unwrap();
        folder
    })
});

/// Runs on a thread of its own, because a test's thread is busy with the test's runtime.
fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::spawn(work).join().unwrap()
}

/// Runs a test on the shared server's runtime.
pub fn on_shared<F: Future<Output = ()>>(test: impl FnOnce(&'static Database) -> F) {
    SHARED.runtime.block_on(test(&SHARED.database));
}

/// Settings for an embedded server.
pub fn settings(state_dir: &Path) -> DatabaseSettings {
    DatabaseSettings {
        state_dir: state_dir.to_owned(),
        postgres_dir: None,
        external_url: None,
        component_connections: 0,
    }
}

/// A fresh database on the shared server.
pub async fn fresh_component(database: &Database, name: &str) -> ComponentDatabase {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    database.provision(&format!("{name}_{number}")).await.unwrap()
}

/// A connection as a component makes it.
pub async fn connect(database: &ComponentDatabase) -> PgConnection {
    PgConnection::connect(&database.url).await.unwrap()
}

/// Waits until the condition holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A copy of a state folder whose server was stopped in order.
pub fn copy_initialised(to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(&*INITIALISED).arg(to).status().unwrap();
    assert!(copied.success());
}

/// This process's folder for what servers use; those of processes that have ended are swept away.
pub fn own_folder() -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let all = fast_folder().join(format!("plaza-tests-{}", nix::unistd::Uid::effective()));
        for entry in fs::read_dir(&all).into_iter().flatten().flatten() {
            let process = entry.file_name().to_string_lossy().parse().ok();
            let alive = process
                .is_some_and(|process| nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), None).is_ok());
            if !alive {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let folder = all.join(std::process::id().to_string());
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    });
    FOLDER.clone()
}

/// A folder in memory where there is room for some servers, else the system's temporary one.
#[cfg(target_os = "linux")]
fn fast_folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let room = nix::sys::statvfs::statvfs(memory).map(|system| system.blocks_available() * system.fragment_size());
    match room {
        Ok(bytes) if bytes >= ROOM_BYTES => memory.to_owned(),
        _ => std::env::temp_dir(),
    }
}

/// The system's temporary folder.
#[cfg(not(target_os = "linux"))]
fn fast_folder() -> PathBuf {
    std::env::temp_dir()
}
