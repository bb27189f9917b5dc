//! Where the rows of a statement go: counted, collected, or streamed with backpressure.

use super::failure::{self, Failure};
use super::{Column, DbValue};
use crate::limits::{ROW_BATCH_BYTES, ROW_BATCH_ROWS, ROW_BATCHES};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

/// A row.
pub type Row = Vec<DbValue>;

/// Where rows go.
pub enum Sink {
    /// Nowhere; only the number of rows counts.
    Count(u64),
    /// Into memory, up to a limit.
    Collect(Collected),
    /// To a reader.
    Stream(StreamSink),
}

/// Rows in memory.
pub struct Collected {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
    bytes: usize,
    limit: usize,
}

/// Why no more rows are wanted.
pub enum Refusal {
    /// A limit was hit.
    Limit(Failure),
    /// Nobody reads any more.
    Abandoned,
}

impl Sink {
    /// A sink that collects rows of at most `limit` bytes together.
    pub fn collect(limit: usize) -> Self {
        Self::Collect(Collected { columns: Vec::new(), rows: Vec::new(), bytes: 0, limit })
    }

    /// Whether the sink wants the rows' values at all.
    pub fn wants_rows(&self) -> bool {
        !matches!(self, Self::Count(_))
    }

    /// Whether it has taken anything that could be taken twice.
    pub fn is_started(&self) -> bool {
        match self {
            Self::Count(count) => *count > 0,
            Self::Collect(collected) => !collected.rows.is_empty(),
            Self::Stream(stream) => stream.started,
        }
    }

    /// Takes the columns, which come before any row.
    pub fn columns(&mut self, columns: Vec<Column>) {
        match self {
            Self::Count(_) => {}
            Self::Collect(collected) => collected.columns = columns,
            // A reader that has gone away is noticed with the first row.
            Self::Stream(stream) => drop(stream.sender.send(Part::Columns(columns))),
        }
    }

    /// Takes the number of rows that the statement changed or returned.
    pub fn affected(&mut self, rows: u64) {
        if let Self::Count(count) = self {
            *count += rows;
        }
    }

    /// Takes a row of so many bytes, when there is room for it.
    pub async fn row(&mut self, row: Row, bytes: usize) -> Result<(), Refusal> {
        match self {
            Self::Count(_) => Ok(()),
            Self::Collect(collected) => collected.push(row, bytes).map_err(Refusal::Limit),
            Self::Stream(stream) => stream.push(row, bytes).await,
        }
    }

    /// Passes on what is left after the last row.
    pub async fn finish(&mut self) -> Result<(), Refusal> {
        match self {
            Self::Count(_) | Self::Collect(_) => Ok(()),
            Self::Stream(stream) => stream.flush().await,
        }
    }
}

impl Collected {
    fn push(&mut self, row: Row, bytes: usize) -> Result<(), Failure> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limit {
            return Err(failure::limit(format!(
                "the rows are larger than limits.query_bytes ({} bytes); \
                 ask for fewer rows or columns, or read them as a stream (query-async)",
                self.limit
            )));
        }
        self.rows.push(row);
        Ok(())
    }
}

/// What travels to the reader.
pub enum Part {
    /// First of all.
    Columns(Vec<Column>),
    /// Some rows.
    Rows(Batch),
}

/// Rows, and the slot they occupy until they are read.
pub struct Batch {
    /// The rows.
    pub rows: Vec<Row>,
    _slot: Option<OwnedSemaphorePermit>,
}

/// Counts who waits for the connection that a stream holds.
#[derive(Default)]
pub struct Pressure {
    waiting: AtomicUsize,
    changed: Notify,
}

impl Pressure {
    /// Somebody waits as long as the guard lives.
    pub fn wait(self: &Arc<Self>) -> PressureGuard {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_waiters();
        PressureGuard(self.clone())
    }

    fn is_on(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }
}

/// Takes the pressure away when dropped.
pub struct PressureGuard(Arc<Pressure>);

impl Drop for PressureGuard {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Sends rows to a reader in batches, and waits while the reader is behind.
///
/// While somebody waits for the connection it reads ahead instead, so that a guest which starts a statement of its
/// transaction before it has read all rows of another one does not wait for itself. What is read ahead is bounded.
pub struct StreamSink {
    sender: mpsc::UnboundedSender<Part>,
    slots: Arc<Semaphore>,
    pressure: Arc<Pressure>,
    rows: Vec<Row>,
    bytes: usize,
    read_ahead: usize,
    limit: usize,
    started: bool,
    /// Reading to the end is better than losing the transaction that the rows belong to.
    reads_to_the_end: bool,
}

impl StreamSink {
    /// A sink and its reader.
    pub fn new(limit: usize, pressure: Arc<Pressure>, reads_to_the_end: bool) -> (Self, mpsc::UnboundedReceiver<Part>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let slots = Arc::new(Semaphore::new(ROW_BATCHES));
        let sink = Self {
            sender,
            slots,
            pressure,
            rows: Vec::new(),
            bytes: 0,
            read_ahead: 0,
            limit,
            started: false,
            reads_to_the_end,
        };
        (sink, receiver)
    }

    /// Another handle to see whether the reader has gone away.
    pub fn watcher(&self) -> mpsc::UnboundedSender<Part> {
        self.sender.clone()
    }

    async fn push(&mut self, row: Row, bytes: usize) -> Result<(), Refusal> {
        if bytes > self.limit {
            return Err(Refusal::Limit(failure::limit(format!(
                "a row of {bytes} bytes is larger than limits.query_bytes ({} bytes)",
                self.limit
            ))));
        }
        self.started = true;
        self.rows.push(row);
        self.bytes += bytes;
        if self.rows.len() >= ROW_BATCH_ROWS || self.bytes >= ROW_BATCH_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Refusal> {
        let rows = std::mem::take(&mut self.rows);
        let bytes = std::mem::take(&mut self.bytes);
        if rows.is_empty() {
            return Ok(());
        }
        let slot = self.slot().await;
        if slot.is_none() && !self.sender.is_closed() {
            self.read_ahead += bytes;
            if self.read_ahead > self.limit {
                return Err(Refusal::Limit(failure::limit(format!(
                    "another statement waits for this connection, and the rows not yet read are larger than \
                     limits.query_bytes ({} bytes); read the rows first",
                    self.limit
                ))));
            }
        }
        match self.sender.send(Part::Rows(Batch { rows, _slot: slot })) {
            Err(_) if !self.reads_to_the_end => Err(Refusal::Abandoned),
            _ => Ok(()),
        }
    }

    /// A slot for a batch; none when it may go without one.
    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(slot) = self.slots.clone().try_acquire_owned() {
            return Some(slot);
        }
        let pressed = async {
            loop {
                let mut changed = std::pin::pin!(self.pressure.changed.notified());
                changed.as_mut().enable();
                if self.pressure.is_on() {
                    return;
                }
                changed.await;
            }
        };
        tokio::select! {
            slot = self.slots.clone().acquire_owned() => slot.ok(),
            () = pressed => None,
            () = self.sender.closed() => None,
        }
    }
}
