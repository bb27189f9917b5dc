//! The state folder: what the embedded server keeps where.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use super::account::Account;
use crate::{
    database::{DatabaseError, secret},
    digest::sha256,
};

/// A Unix socket's path has at most 107 bytes (`sun_path` less its end), of which `/.s.PGSQL.65535` takes 15.
const SOCKET_FOLDER_BYTES: usize = 107 - 15;

/// The log starts afresh, keeping one older file, when it is larger than this at a start.
const LOG_BYTES: u64 = 16 * 1024 * 1024;

/// A disk with less room than this is called full: the server cannot start with so little.
const FULL_BYTES: u64 = 1024 * 1024;

/// The state folder, locked for this process.
pub(super) struct StateFolder {
    path: PathBuf,
    _lock: StateLock,
}

/// The right to write into a state folder; one process at a time has it, and loses it however it ends.
pub struct StateLock(#[expect(dead_code, reason = "it is held, not used")] File);

impl StateLock {
    /// Locks a folder that is there.
    ///
    /// # Errors
    /// [`DatabaseError::InUse`] while another process has it.
    pub fn take(folder: &Path) -> Result<Self, DatabaseError> {
        lock(folder).map(Self)
    }
}

impl StateFolder {
    /// Makes the folder if it is missing, and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, DatabaseError> {
        // Others may pass through, for the server's account must, but not look around.
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(path)
            .map_err(DatabaseError::file("make the state folder", path))?;
        let path = fs::canonicalize(path).map_err(DatabaseError::file("find the state folder", path))?;
        let lock = StateLock::take(&path)?;
        Ok(Self { path, _lock: lock })
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The server's data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// Where PostgreSQL's programs are put when this machine has none.
    pub(super) fn programs(&self) -> PathBuf {
        self.path.join("programs")
    }

    /// Where a data folder is made before it takes its place.
    pub(super) fn unfinished_data(&self) -> PathBuf {
        self.path.join("postgres.unfinished")
    }

    /// The server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// The file with the administrator's password.
    pub(super) fn password_file(&self) -> PathBuf {
        self.path.join("postgres-password")
    }

    /// The major version that made the data folder; `None` when there is no data folder.
    pub(super) fn data_version(&self) -> Result<Option<String>, DatabaseError> {
        let path = self.data().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(version) => Ok(Some(version.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DatabaseError::file("read", path)(error)),
        }
    }

    /// The port of the last run.
    pub(super) fn port(&self) -> Option<u16> {
        fs::read_to_string(self.port_file()).ok()?.trim().parse().ok()
    }

    /// Keeps the port for the next run.
    pub(super) fn keep_port(&self, port: u16) -> Result<(), DatabaseError> {
        // A full disk would lose the number that is there.
        if self.port() == Some(port) {
            return Ok(());
        }
        let path = self.port_file();
        fs::write(&path, format!("{port}\n")).map_err(DatabaseError::file("write", path))
    }

    fn port_file(&self) -> PathBuf {
        self.path.join("postgres-port")
    }

    /// The administrator's password, if it was made.
    pub(super) fn password(&self) -> Result<Option<String>, DatabaseError> {
        let path = self.password_file();
        match fs::read_to_string(&path) {
            Ok(password) => Ok(Some(password.trim().to_owned()).filter(|password| !password.is_empty())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DatabaseError::file("read", path)(error)),
        }
    }

    /// Makes the administrator's password, readable by the server's account alone.
    pub(super) fn make_password(&self, account: &Account) -> Result<String, DatabaseError> {
        let path = self.password_file();
        let password = secret::password();
        let written =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path).and_then(|mut file| {
                file.set_permissions(fs::Permissions::from_mode(0o600))?;
                writeln!(file, "{password}")?;
                file.sync_all()
            });
        written.map_err(DatabaseError::file("write", &path))?;
        account.own(&path)?;
        Ok(password)
    }

    /// The log, opened to be written at its end; its length so far is where this run's lines begin.
    pub(super) fn open_log(&self) -> Result<(File, u64), DatabaseError> {
        let path = self.log();
        if fs::metadata(&path).is_ok_and(|file| file.len() > LOG_BYTES) {
            fs::rename(&path, self.path.join("postgres.log.old")).map_err(DatabaseError::file("rename", &path))?;
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(DatabaseError::file("open", &path))?;
        let length = file.metadata().map_err(DatabaseError::file("open", &path))?.len();
        Ok((file, length))
    }

    /// Is there no room left? Then the log may be silent about it.
    pub(super) fn is_full(&self) -> bool {
        nix::sys::statvfs::statvfs(&self.path).is_ok_and(|system| {
            #[cfg_attr(
                target_os = "linux",
                expect(clippy::useless_conversion, reason = "macOS counts blocks in 32 bits")
            )]
            let free_bytes = u64::from(system.blocks_available()).saturating_mul(system.fragment_size());
            free_bytes < FULL_BYTES
        })
    }

    /// What the log says from a position on.
    pub(super) fn log_since(&self, position: u64) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(self.log())
            && file.seek(std::io::SeekFrom::Start(position)).is_ok()
        {
            // What cannot be read is not told; the message names the log anyway.
            drop(file.take(LOG_BYTES).read_to_end(&mut bytes));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A folder for the server's socket: in the state folder, or under the system's temporary one when that path is too long.
    pub(super) fn socket_folder(&self, account: &Account) -> Result<PathBuf, DatabaseError> {
        let near = self.path.join("socket");
        let path = match near.as_os_str().len() <= SOCKET_FOLDER_BYTES {
            true => near,
            false => self.far_socket_folder(),
        };
        let made = match fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
            Ok(()) => return account.own(&path).map(|()| path),
            Err(_) => fs::symlink_metadata(&path),
        };
        let found = made.map_err(DatabaseError::file("make the socket folder", &path))?;
        // A folder that somebody else put there could give our password away.
        if found.is_dir() && (found.uid() == account.uid() || found.uid() == 0) {
            account.own(&path)?;
            remove_stale_sockets(&path);
            return Ok(path);
        }
        let foreign = std::io::Error::other("it belongs to somebody else; remove it");
        Err(DatabaseError::file("use the socket folder", path)(foreign))
    }

    fn far_socket_folder(&self) -> PathBuf {
        let hash = sha256(self.path.as_os_str().as_bytes());
        let name = hash.get(..16).unwrap_or(&hash);
        let temporary = std::env::temp_dir();
        let temporary = if temporary.as_os_str().len() > 50 { Path::new("/tmp") } else { &temporary };
        temporary.join(format!("plaza-{name}"))
    }
}

/// Sockets of a crashed server; their lock files would count if their process numbers are used again. What cannot be
/// removed the server will complain of.
fn remove_stale_sockets(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().as_bytes().starts_with(b".s.PGSQL.") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Locks the folder; the kernel frees the lock however this process ends.
fn lock(folder: &Path) -> Result<File, DatabaseError> {
    let path = folder.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .open(&path)
        .map_err(DatabaseError::file("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
            let pid = if holder.is_empty() { "unknown".to_owned() } else { holder };
            return Err(DatabaseError::InUse { folder: folder.to_owned(), pid });
        }
        Err(fs::TryLockError::Error(error)) => return Err(DatabaseError::file("lock", path)(error)),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(DatabaseError::file("write", path))?;
    Ok(file)
}
