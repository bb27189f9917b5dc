//! The databases of an application, and what a component is granted of them.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Semaphore;

use super::guard;
use crate::{
    limits::{ABANDONED_GRACE, ComponentLimits, SQLITE_STATEMENTS_AT_ONCE},
    manifest::runtime_config::Place,
    sqlite_file::{self, OpenError},
};

/// The databases that a component is granted, by the names that its manifest has for them.
pub type Granted = Arc<BTreeMap<String, Database>>;

/// Why a database cannot be granted.
#[derive(Debug, thiserror::Error)]
pub enum DatabasesError {
    /// Nobody said where it is kept.
    #[error(
        "nothing says where the SQLite database `{0}` is kept; add `[sqlite_database.{0}]` to the file of --runtime-config-file"
    )]
    Unknown(String),
    /// It has nothing that lasts from one connection to the next.
    #[error("the SQLite database `{0}` is in memory, where each connection has its own; give it a `path`")]
    InMemory(String),
    /// Statements were refused, or failed.
    #[error("SQLite says: {0}")]
    Statements(#[from] rusqlite::Error),
    /// They began a transaction and did not end it.
    #[error("the statements begin a transaction and do not end it; add COMMIT")]
    Uncommitted,
    /// Whoever ran them was interrupted.
    #[error("the statements were interrupted")]
    Interrupted,
    /// Its file cannot be opened.
    #[error("cannot open the SQLite database `{label}` in {}: {source}", path.display())]
    Open {
        /// Its name.
        label: String,
        /// Its file.
        path: PathBuf,
        /// Why.
        source: OpenError,
    },
}

/// Where the databases of an application are kept.
pub struct Databases {
    places: BTreeMap<String, Place>,
    /// Places for statements, by the database's name.
    at_work: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A database that a component is granted. Each connection to one in memory has it for itself, as under Spin.
#[derive(Clone)]
pub struct Database {
    place: Place,
    /// Shared by all components.
    pub(super) at_work: Arc<Semaphore>,
    pub(super) bounds: Bounds,
}

/// How much a component's statements may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of rows that one answer may have.
    pub answer_bytes: usize,
    /// Time to each row, or to the end.
    pub statement_time: Duration,
}

impl From<&ComponentLimits> for Bounds {
    /// A statement may take as long as a request and what is given to one that nobody waits for any more: it is let go with it.
    fn from(limits: &ComponentLimits) -> Self {
        Self { answer_bytes: limits.query_bytes, statement_time: limits.request_time() + ABANDONED_GRACE }
    }
}

impl Databases {
    /// Databases in these places, by name.
    pub fn new(places: BTreeMap<String, Place>) -> Self {
        Self { places, at_work: Mutex::default() }
    }

    /// Grants a component the databases of these names. Tries each, which blocks for a moment.
    ///
    /// # Errors
    /// A database of which nobody said where it is, or that cannot be opened.
    pub fn grant(&self, labels: &[String], bounds: Bounds) -> Result<Granted, DatabasesError> {
        let databases = labels.iter().map(|label| Ok((label.clone(), self.database(label, bounds)?)));
        Ok(Arc::new(databases.collect::<Result<_, DatabasesError>>()?))
    }

    /// Runs statements of whoever runs the application.
    ///
    /// # Errors
    /// A database of which nobody said where it is, that is in memory, or that cannot be opened; and what SQLite says.
    pub async fn run(&self, label: &str, statements: String) -> Result<(), DatabasesError> {
        let place = self.places.get(label).ok_or_else(|| DatabasesError::Unknown(label.to_owned()))?.clone();
        let Some(path) = place.path().map(PathBuf::from) else {
            return Err(DatabasesError::InMemory(label.to_owned()));
        };
        let label = label.to_owned();
        let running = tokio::task::spawn_blocking(move || {
            let opened = sqlite_file::open(&place);
            let connection = opened.map_err(|source| DatabasesError::Open { label, path, source })?;
            connection.execute_batch(&statements)?;
            if connection.is_autocommit() { Ok(()) } else { Err(DatabasesError::Uncommitted) }
        });
        running.await.map_err(|_| DatabasesError::Interrupted)?
    }

    fn database(&self, label: &str, bounds: Bounds) -> Result<Database, DatabasesError> {
        let place = self.places.get(label).ok_or_else(|| DatabasesError::Unknown(label.to_owned()))?.clone();
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let at_work = at_work.entry(label.to_owned());
        let at_work = at_work.or_insert_with(|| Arc::new(Semaphore::new(SQLITE_STATEMENTS_AT_ONCE))).clone();
        let database = Database { place, at_work, bounds };
        database.connect().map_err(|source| {
            let path = database.place.path().map(PathBuf::from).unwrap_or_default();
            DatabasesError::Open { label: label.to_owned(), path, source }
        })?;
        Ok(database)
    }
}

impl Database {
    /// A new connection, under guard. Blocks.
    ///
    /// # Errors
    /// What the system or SQLite says.
    pub(super) fn connect(&self) -> Result<rusqlite::Connection, OpenError> {
        let connection = sqlite_file::open(&self.place)?;
        guard::set(&connection)?;
        Ok(connection)
    }
}
