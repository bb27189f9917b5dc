//! A file of SQLite, opened the same way for whatever stands in it.

use std::{fs::DirBuilder, io, os::unix::fs::DirBuilderExt, path::Path};

use rusqlite::Connection;

use crate::{
    limits::{SQLITE_BUSY_TIMEOUT, SQLITE_FILE_BYTES},
    manifest::runtime_config::Place,
};

/// Why a file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder around it cannot be made.
    #[error("the folder around it cannot be made: {0}")]
    Folder(#[from] io::Error),
    /// SQLite's word.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// Opens a file, or something in memory, and makes what is not there, for this user alone. Blocks for a moment.
///
/// # Errors
/// What the system or SQLite says.
pub fn open(place: &Place) -> Result<Connection, OpenError> {
    let connection = match place.path() {
        None => Connection::open_in_memory()?,
        Some(path) => open_path(path)?,
    };
    let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    connection.pragma_update(None, "max_page_count", SQLITE_FILE_BYTES / page_bytes.max(1))?;
    Ok(connection)
}

fn open_path(path: &Path) -> Result<Connection, OpenError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let connection = Connection::open(path)?;
    connection.busy_timeout(SQLITE_BUSY_TIMEOUT)?;
    // So that who reads and who writes do not wait for one another. What is committed is on the disk when that is answered.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}
