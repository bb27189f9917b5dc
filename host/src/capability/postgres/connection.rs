//! A guest's connection handle.

use super::ParameterValue;
use super::failure::{self, Failure};
use super::lease::Lease;
use super::pool::Pool;
use super::pools::Pools;
use super::rows::{RowStream, Rows};
use super::run::{self, Trouble};
use super::sink::{Collected, Part, Pressure, Refusal, Sink, StreamSink};
use super::statement::{Statement, TransactionEffect, classify};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// A guest's connection handle. It borrows a database connection for each statement; while a transaction is open or
/// the session is changed it keeps one, and its statements queue for it. Clones share the handle.
#[derive(Clone)]
pub struct Connection(Arc<Handle>);

struct Handle {
    pool: Arc<Pool>,
    held: Arc<Mutex<Option<Lease>>>,
    /// Statements must use what is in `held`.
    holds: Arc<AtomicBool>,
    pressure: Arc<Pressure>,
    dropped: CancellationToken,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.dropped.cancel();
    }
}

impl Connection {
    /// Checks the address and the component's grant. Nothing is connected yet.
    ///
    /// # Errors
    /// `connection-failed` when the address cannot be used or is not granted.
    pub fn open(pools: &Pools, address: &str, ca_root: Option<&str>) -> Result<Self, Failure> {
        let pool = pools.pool(address, ca_root)?;
        Ok(Self(Arc::new(Handle {
            pool,
            held: Arc::default(),
            holds: Arc::default(),
            pressure: Arc::default(),
            dropped: CancellationToken::new(),
        })))
    }

    /// Runs a statement and returns the number of rows it changed, or returned.
    pub async fn execute(&self, sql: &str, parameters: &[ParameterValue]) -> Result<u64, Failure> {
        let mut sink = Sink::Count(0);
        self.checkout(sql).await?.run(sql, parameters, &mut sink).await?;
        match sink {
            Sink::Count(count) => Ok(count),
            Sink::Collect(_) | Sink::Stream(_) => Ok(0),
        }
    }

    /// Runs a statement and returns all its rows, which may have `query_bytes` together.
    pub async fn query(&self, sql: &str, parameters: &[ParameterValue]) -> Result<Rows, Failure> {
        let mut sink = Sink::collect(self.0.pool.query_bytes());
        self.checkout(sql).await?.run(sql, parameters, &mut sink).await?;
        match sink {
            Sink::Collect(Collected { columns, rows, .. }) => Ok(Rows { columns, first: rows, rest: None }),
            Sink::Count(_) | Sink::Stream(_) => Ok(Rows { columns: Vec::new(), first: Vec::new(), rest: None }),
        }
    }

    /// Runs a statement and returns its first rows and a stream of the others. When the rows are few they are all
    /// there, and the connection is already back in its pool.
    pub async fn query_stream(&self, sql: String, parameters: Vec<ParameterValue>) -> Result<Rows, Failure> {
        let mut checkout = self.checkout(&sql).await?;
        let is_held = checkout.is_held();
        let limit = self.0.pool.query_bytes();
        let (sink, mut parts) = StreamSink::new(limit, self.0.pressure.clone(), is_held);
        let watcher = sink.watcher();
        let mut sink = Sink::Stream(sink);
        let mut pump = Box::pin(async move { checkout.run(&sql, &parameters, &mut sink).await });
        let mut columns = Vec::new();
        loop {
            let part = tokio::select! {
                biased;
                outcome = &mut pump => {
                    outcome?;
                    return Ok(complete(columns, parts));
                }
                part = parts.recv() => part,
            };
            match part {
                Some(Part::Columns(found)) => columns = found,
                Some(Part::Rows(batch)) => {
                    let (sender, outcome) = oneshot::channel();
                    tokio::spawn(pump_rest(pump, sender, watcher, is_held.then(|| self.0.dropped.clone())));
                    return Ok(Rows { columns, first: batch.rows, rest: Some(RowStream::new(parts, outcome)) });
                }
                None => return Err(failure::connection("the query was interrupted")),
            }
        }
    }

    /// A database connection for one statement.
    async fn checkout(&self, sql: &str) -> Result<Checkout, Failure> {
        let handle = &self.0;
        let statement = classify(sql);
        let starts_holding = statement.changes_session || statement.transaction == TransactionEffect::Opens;
        if !starts_holding && !handle.holds.load(Ordering::Acquire) {
            return Ok(Checkout { statement, place: Place::Free(handle.pool.acquire().await?) });
        }
        handle.holds.store(true, Ordering::Release);
        let mut held = match handle.held.clone().try_lock_owned() {
            Ok(held) => held,
            Err(_) => {
                // A stream of this handle may have it; it reads ahead as long as somebody waits.
                let _pressure = handle.pressure.wait();
                handle.held.clone().lock_owned().await
            }
        };
        if held.is_none() {
            match handle.pool.acquire().await {
                Ok(lease) => *held = Some(lease),
                Err(failure) => {
                    handle.holds.store(false, Ordering::Release);
                    return Err(failure);
                }
            }
        }
        Ok(Checkout { statement, place: Place::Held { held, holds: handle.holds.clone() } })
    }
}

/// What is left when a query ended before its rows filled what travels at once.
fn complete(columns: Vec<super::Column>, mut parts: mpsc::UnboundedReceiver<Part>) -> Rows {
    let mut rows = Rows { columns, first: Vec::new(), rest: None };
    while let Ok(part) = parts.try_recv() {
        match part {
            Part::Columns(columns) => rows.columns = columns,
            Part::Rows(batch) if rows.first.is_empty() => rows.first = batch.rows,
            Part::Rows(batch) => rows.first.extend(batch.rows),
        }
    }
    rows
}

/// Goes on reading rows until the end, or until nobody can want them any more: the reader is gone and, where the rows
/// belong to a transaction, the guest's handle is too.
async fn pump_rest(
    pump: impl Future<Output = Result<(), Failure>>,
    outcome: oneshot::Sender<Result<(), Failure>>,
    watcher: mpsc::UnboundedSender<Part>,
    handle_dropped: Option<CancellationToken>,
) {
    let abandoned = async {
        if let Some(dropped) = handle_dropped {
            dropped.cancelled().await;
        }
        watcher.closed().await;
    };
    tokio::select! {
        ended = pump => {
            // Nobody has to ask how it ended.
            let _ = outcome.send(ended);
        }
        () = abandoned => {}
    }
}

/// A statement's connection.
struct Checkout {
    statement: Statement,
    place: Place,
}

enum Place {
    /// For this statement only.
    Free(Lease),
    /// The one that the handle keeps.
    Held { held: OwnedMutexGuard<Option<Lease>>, holds: Arc<AtomicBool> },
}

impl Checkout {
    fn is_held(&self) -> bool {
        matches!(self.place, Place::Held { .. })
    }

    /// Runs the statement, again where that is safe, then gives the connection back or keeps it.
    async fn run(&mut self, sql: &str, parameters: &[ParameterValue], sink: &mut Sink) -> Result<(), Failure> {
        let mut outcome = self.attempt(sql, parameters, sink).await;
        if let Err(trouble) = &outcome
            && self.prepare_retry(trouble, sink).await?
        {
            outcome = self.attempt(sql, parameters, sink).await;
        }
        let outcome = match outcome {
            Ok(()) => sink.finish().await.map_err(Trouble::Interrupted),
            failed => failed,
        };
        self.give_back();
        outcome.map_err(into_failure)
    }

    async fn attempt(&mut self, sql: &str, parameters: &[ParameterValue], sink: &mut Sink) -> Result<(), Trouble> {
        let statement = self.statement;
        let Some(lease) = self.lease() else {
            return Err(Trouble::NoConnection);
        };
        if statement.changes_session {
            lease.pin();
        }
        let outcome = run::run(lease, sql, parameters, sink).await;
        match &outcome {
            Ok(()) => lease.succeeded(&statement).await,
            Err(Trouble::Database { error, .. }) => lease.failed(&statement, error).await,
            Err(Trouble::NoConnection) if statement.transaction != TransactionEffect::None => lease.bury_transaction(),
            Err(_) => {}
        }
        outcome
    }

    /// Whether the statement can be run once more without any danger, and readies the connection for it: the server
    /// has not executed it, or executing it twice makes no difference.
    async fn prepare_retry(&mut self, trouble: &Trouble, sink: &Sink) -> Result<bool, Failure> {
        let Trouble::Database { error, sent } = trouble else {
            return Ok(false);
        };
        if sink.is_started() {
            return Ok(false);
        }
        let reads_only = !self.statement.writes && self.statement.transaction == TransactionEffect::None;
        let Some(lease) = self.lease() else {
            return Ok(false);
        };
        if failure::is_stale_statement(error) {
            lease.forget_statements().await;
            return Ok(!lease.is_in_transaction());
        }
        let (was_reused, was_held) = (lease.reused, lease.is_held());
        if !failure::loses_connection(error) || !was_reused || was_held || (*sent && !reads_only) {
            return Ok(false);
        }
        self.replace().await?;
        Ok(true)
    }

    /// A fresh connection in place of one that the server has closed.
    async fn replace(&mut self) -> Result<(), Failure> {
        let Some(pool) = self.lease().map(|lease| lease.pool()) else {
            return Ok(());
        };
        pool.forget_idle();
        match &mut self.place {
            Place::Free(lease) => {
                lease.lose();
                lease.release_permit();
                *lease = pool.acquire().await?;
            }
            Place::Held { held, .. } => {
                **held = None;
                **held = Some(pool.acquire().await?);
            }
        }
        Ok(())
    }

    fn lease(&mut self) -> Option<&mut Lease> {
        match &mut self.place {
            Place::Free(lease) => Some(lease),
            Place::Held { held, .. } => held.as_mut(),
        }
    }

    /// The handle stops keeping a connection that nothing ties to it any more.
    fn give_back(&mut self) {
        if let Place::Held { held, holds } = &mut self.place
            && held.as_ref().is_none_or(|lease| !lease.is_held())
        {
            **held = None;
            holds.store(false, Ordering::Release);
        }
    }
}

fn into_failure(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Database { error, .. } => failure::of_statement(&error),
        Trouble::Refused(failure) | Trouble::Interrupted(Refusal::Limit(failure)) => failure,
        Trouble::Interrupted(Refusal::Abandoned) => failure::limit("nobody reads the rows any more"),
        Trouble::NoConnection => failure::connection(
            "the connection to the database was lost, and with it the transaction or session; open a new one",
        ),
    }
}
