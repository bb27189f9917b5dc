//! A file of SQLite that holds key-value stores.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::Mutex;

use super::Failure;
use crate::{
    manifest::runtime_config::Place,
    sqlite_file::{self, OpenError},
};

/// Spin's own table: a file serves here and there.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (
    store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))";

/// An open file. Clones share it.
#[derive(Clone)]
pub struct StoreFile {
    /// Reads beside a write, which may wait for the disk.
    reader: Arc<Mutex<Connection>>,
    writer: Arc<Mutex<Connection>>,
}

impl StoreFile {
    /// Opens the file, and makes it where it is not there. Blocks for a moment.
    ///
    /// # Errors
    /// What the system or SQLite says.
    pub fn open(place: &Place) -> Result<Self, OpenError> {
        let writer = Arc::new(Mutex::new(opened(place)?));
        let reader = match place {
            Place::Memory => writer.clone(),
            Place::File(_) => Arc::new(Mutex::new(opened(place)?)),
        };
        Ok(Self { reader, writer })
    }

    /// Lets `work` read.
    pub async fn read<R, W>(&self, work: W) -> Result<R, Failure>
    where
        R: Send + 'static,
        W: FnOnce(&mut Connection) -> Result<R, Failure> + Send + 'static,
    {
        aside(&self.reader, work).await
    }

    /// Lets `work` write. It ends even if nobody waits for it any more.
    pub async fn write<R, W>(&self, work: W) -> Result<R, Failure>
    where
        R: Send + 'static,
        W: FnOnce(&mut Connection) -> Result<R, Failure> + Send + 'static,
    {
        aside(&self.writer, work).await
    }
}

/// Works on a thread that may block. Who waits for the connection blocks none.
async fn aside<R, W>(connection: &Arc<Mutex<Connection>>, work: W) -> Result<R, Failure>
where
    R: Send + 'static,
    W: FnOnce(&mut Connection) -> Result<R, Failure> + Send + 'static,
{
    let mut connection = connection.clone().lock_owned().await;
    match tokio::task::spawn_blocking(move || work(&mut connection)).await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%error, "work on a key-value store was interrupted");
            Err(Failure::Broken)
        }
    }
}

fn opened(place: &Place) -> Result<Connection, OpenError> {
    let connection = sqlite_file::open(place)?;
    connection.execute_batch(TABLE)?;
    Ok(connection)
}
