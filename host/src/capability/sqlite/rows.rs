//! The rows of a statement: all of them at once, or as a stream.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
};
use wasmtime::{
    StoreContextMut,
    component::{Destination, StreamProducer, StreamResult, VecBuffer},
};

use super::{Failure, QueryResult, RowResult, query::Rows};
use crate::limits::SQLITE_BATCH_BYTES;

/// Collects rows up to a bound.
pub struct Collected {
    /// What there is so far.
    pub result: QueryResult,
    bytes: usize,
    limit: usize,
}

impl Collected {
    /// Nothing yet, and at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { result: QueryResult { columns: Vec::new(), rows: Vec::new() }, bytes: 0, limit }
    }
}

impl Rows for Collected {
    fn columns(&mut self, names: Vec<String>) -> Result<(), Failure> {
        self.result.columns = names;
        Ok(())
    }

    fn row(&mut self, row: RowResult, bytes: usize) -> Result<(), Failure> {
        self.bytes += bytes;
        if self.bytes > self.limit {
            return Err(Failure::too_large(self.limit));
        }
        self.result.rows.push(row);
        Ok(())
    }
}

/// Some rows, and the room they take until they are read.
struct Batch {
    rows: Vec<RowResult>,
    _room: OwnedSemaphorePermit,
}

/// Sends rows to a reader. Up to the bound of an answer it reads ahead, so that few rows leave the connection free before they are
/// read; then it waits for the reader.
pub struct Stream {
    columns: Option<oneshot::Sender<Vec<String>>>,
    batches: mpsc::UnboundedSender<Batch>,
    room: Arc<Semaphore>,
    /// Units of room that there are, each a batch's worth of bytes.
    units: usize,
    waiting: Vec<RowResult>,
    bytes: usize,
    runtime: Handle,
    /// The statement's place among those at work. Whoever waits for a reader does not work.
    place: Option<OwnedSemaphorePermit>,
}

/// What a reader gets.
pub struct Reader {
    /// The columns, unless the statement failed before its first row.
    pub columns: oneshot::Receiver<Vec<String>>,
    /// The rows.
    pub rows: RowProducer,
}

impl Stream {
    /// A stream and its reader, which may be `limit` bytes apart. `runtime` is where the reader is.
    pub fn new(limit: usize, runtime: Handle, place: Option<OwnedSemaphorePermit>) -> (Self, Reader) {
        let (columns, told) = oneshot::channel();
        let (batches, sent) = mpsc::unbounded_channel();
        let units = (limit / SQLITE_BATCH_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(units));
        let (columns, waiting) = (Some(columns), Vec::new());
        let stream = Self { columns, batches, room, units, waiting, bytes: 0, runtime, place };
        (stream, Reader { columns: told, rows: RowProducer(sent) })
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn flush(&mut self) -> Result<(), Failure> {
        let rows = std::mem::take(&mut self.waiting);
        let units = u32::try_from((self.bytes / SQLITE_BATCH_BYTES + 1).min(self.units)).unwrap_or(u32::MAX);
        self.bytes = 0;
        if rows.is_empty() {
            return Ok(());
        }
        let gone = || Failure::Statement("nobody reads the rows any more".to_owned());
        let room = match self.room.clone().try_acquire_many_owned(units) {
            Ok(room) => Some(room),
            Err(_) => self.wait_for(units),
        };
        let batch = Batch { rows, _room: room.ok_or_else(gone)? };
        self.batches.send(batch).map_err(|_| gone())
    }

    /// Room that the reader makes; none if it goes.
    fn wait_for(&mut self, units: u32) -> Option<OwnedSemaphorePermit> {
        self.place = None;
        let (room, batches) = (self.room.clone(), self.batches.clone());
        self.runtime.block_on(async move {
            tokio::select! {
                room = room.acquire_many_owned(units) => room.ok(),
                () = batches.closed() => None,
            }
        })
    }
}

impl Rows for Stream {
    fn columns(&mut self, names: Vec<String>) -> Result<(), Failure> {
        // Where nobody asks for the columns any more, the rows will be refused.
        if let Some(columns) = self.columns.take() {
            _ = columns.send(names);
        }
        Ok(())
    }

    fn row(&mut self, row: RowResult, bytes: usize) -> Result<(), Failure> {
        self.waiting.push(row);
        self.bytes += bytes;
        if self.bytes >= SQLITE_BATCH_BYTES { self.flush() } else { Ok(()) }
    }
}

/// Feeds a guest's stream.
pub struct RowProducer(mpsc::UnboundedReceiver<Batch>);

#[cfg(test)]
impl RowProducer {
    /// The next rows; none after the last.
    pub async fn next(&mut self) -> Option<Vec<RowResult>> {
        Some(self.0.recv().await?.rows)
    }
}

impl<D> StreamProducer<D> for RowProducer {
    type Item = RowResult;
    type Buffer = VecBuffer<RowResult>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        _store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, RowResult, VecBuffer<RowResult>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let batch = match self.0.poll_recv(context) {
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            polled => ready!(polled),
        };
        Poll::Ready(Ok(match batch {
            Some(batch) => {
                destination.set_buffer(batch.rows.into());
                StreamResult::Completed
            }
            None => StreamResult::Dropped,
        }))
    }
}
