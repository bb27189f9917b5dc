//! A guest's connection handle.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    runtime,
    sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};

use super::{
    Bounds, Database, Failure, QueryResult, Value,
    brake::Brake,
    query::{self, Rows},
    rows::{Collected, RowProducer, Stream},
};

/// A guest's connection. Its statements run one after the other. Clones share it.
#[derive(Clone)]
pub struct Connection(Arc<Handle>);

struct Handle {
    connection: Arc<Mutex<rusqlite::Connection>>,
    /// Whether the guest has let go of it.
    closed: Arc<AtomicBool>,
    /// A statement of a transaction does not wait for a place: who has one may be waiting for this transaction.
    in_transaction: Arc<AtomicBool>,
    at_work: Arc<Semaphore>,
    bounds: Bounds,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Release);
    }
}

/// A statement's columns, its rows, and how it ended.
pub struct Streamed {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: RowProducer,
    ended: JoinHandle<Result<(), Failure>>,
}

impl Streamed {
    /// The rows and the ending apart, as a guest gets them.
    pub fn into_parts(self) -> (RowProducer, impl Future<Output = Result<(), Failure>> + Send + 'static) {
        let Self { rows, ended, .. } = self;
        (rows, async move { outcome(ended).await })
    }
}

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn open(database: Database) -> Result<Self, Failure> {
        let (at_work, bounds) = (database.at_work.clone(), database.bounds);
        let _place = place(&at_work).await;
        let connection = outcome(tokio::task::spawn_blocking(move || Ok(database.connect()?))).await?;
        Ok(Self(Arc::new(Handle {
            connection: Arc::new(Mutex::new(connection)),
            closed: Arc::default(),
            in_transaction: Arc::default(),
            at_work,
            bounds,
        })))
    }

    /// Runs a statement and returns all its rows, which may have `query_bytes` together.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn execute(&self, sql: String, parameters: Vec<Value>) -> Result<QueryResult, Failure> {
        let (mut turn, place, waiting) = self.turn().await;
        let mut collected = Collected::new(self.0.bounds.answer_bytes);
        let work = tokio::task::spawn_blocking(move || {
            turn.run(&sql, parameters, &mut collected)?;
            drop(place);
            Ok(collected.result)
        });
        let result = outcome(work).await;
        waiting.end();
        result
    }

    /// Runs a statement and returns its columns, a stream of its rows, and how it ends.
    ///
    /// # Errors
    /// What SQLite says before the first row.
    pub async fn stream(&self, sql: String, parameters: Vec<Value>) -> Result<Streamed, Failure> {
        let (mut turn, place, waiting) = self.turn().await;
        let (mut stream, reader) = Stream::new(self.0.bounds.answer_bytes, runtime::Handle::current(), place);
        let work = tokio::task::spawn_blocking(move || {
            turn.run(&sql, parameters, &mut stream)?;
            stream.flush()
        });
        let columns = reader.columns.await;
        waiting.end();
        match columns {
            Ok(columns) => Ok(Streamed { columns, rows: reader.rows, ended: work }),
            Err(_) => Err(outcome(work).await.err().unwrap_or(Failure::Broken)),
        }
    }

    /// The row id of the last row that was inserted.
    pub async fn last_insert_rowid(&self) -> i64 {
        self.0.connection.lock().await.last_insert_rowid()
    }

    /// How many rows the last statement changed.
    pub async fn changes(&self) -> u64 {
        self.0.connection.lock().await.changes()
    }

    /// The connection, for one statement; the place that it takes; and what is held while somebody waits for it.
    async fn turn(&self) -> (Turn, Option<OwnedSemaphorePermit>, Waiting) {
        let handle = &self.0;
        let connection = handle.connection.clone().lock_owned().await;
        let in_transaction = handle.in_transaction.clone();
        let place = match in_transaction.load(Ordering::Acquire) {
            true => None,
            false => place(&handle.at_work).await,
        };
        let brake = Brake::new(handle.closed.clone(), handle.bounds.statement_time);
        (Turn { connection, in_transaction, brake: brake.clone() }, place, Waiting(Some(brake)))
    }
}

/// A connection for the time of one statement.
struct Turn {
    connection: OwnedMutexGuard<rusqlite::Connection>,
    in_transaction: Arc<AtomicBool>,
    brake: Brake,
}

impl Turn {
    fn run(&mut self, sql: &str, parameters: Vec<Value>, taker: &mut impl Rows) -> Result<(), Failure> {
        self.brake.lay_on(&mut self.connection)?;
        let outcome = query::run(&self.connection, sql, parameters, taker, &self.brake);
        self.in_transaction.store(!self.connection.is_autocommit(), Ordering::Release);
        outcome
    }
}

/// Somebody waits for a statement, who gives it up by dropping this.
struct Waiting(Option<Brake>);

impl Waiting {
    /// There is an answer, or the first of its rows.
    fn end(mut self) {
        self.0 = None;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(brake) = &self.0 {
            brake.give_up();
        }
    }
}

async fn place(at_work: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    // It is never closed, so the only answer is a place.
    at_work.clone().acquire_owned().await.ok()
}

async fn outcome<R>(work: JoinHandle<Result<R, Failure>>) -> Result<R, Failure> {
    match work.await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%error, "work on a SQLite database was interrupted");
            Err(Failure::Broken)
        }
    }
}
