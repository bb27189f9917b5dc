//! The rows of a query as a guest reads them: at once when they are few, as a stream when they are many.

use super::Column;
use super::failure::{self, Failure};
use super::sink::{Part, Row as SinkRow};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::{mpsc, oneshot};
use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, StreamProducer, StreamResult, VecBuffer};

/// A row.
pub type Row = SinkRow;

/// What a query answers.
pub struct Rows {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows that are there.
    pub first: Vec<Row>,
    /// The rows to come; none when all are there.
    pub rest: Option<RowStream>,
}

/// Rows to come, and how it ends.
pub struct RowStream {
    parts: mpsc::UnboundedReceiver<Part>,
    outcome: oneshot::Receiver<Result<(), Failure>>,
}

impl RowStream {
    pub(super) fn new(parts: mpsc::UnboundedReceiver<Part>, outcome: oneshot::Receiver<Result<(), Failure>>) -> Self {
        Self { parts, outcome }
    }

    /// The next rows; none after the last.
    pub async fn next(&mut self) -> Option<Vec<Row>> {
        loop {
            match self.parts.recv().await? {
                Part::Rows(batch) => return Some(batch.rows),
                Part::Columns(_) => {}
            }
        }
    }

    /// How the query ended.
    pub async fn outcome(self) -> Result<(), Failure> {
        ended(self.outcome).await
    }

    /// The rows and the ending apart, as a guest gets them.
    pub(super) fn into_parts(
        self,
        first: Vec<Row>,
    ) -> (RowProducer, impl Future<Output = Result<(), Failure>> + Send + 'static) {
        (RowProducer { first, parts: self.parts }, ended(self.outcome))
    }
}

async fn ended(outcome: oneshot::Receiver<Result<(), Failure>>) -> Result<(), Failure> {
    match outcome.await {
        Ok(outcome) => outcome,
        Err(_) => Err(failure::limit("the query was interrupted")),
    }
}

/// Feeds a guest's stream.
pub struct RowProducer {
    first: Vec<Row>,
    parts: mpsc::UnboundedReceiver<Part>,
}

impl<D> StreamProducer<D> for RowProducer {
    type Item = Row;
    type Buffer = VecBuffer<Row>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        _store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Row, VecBuffer<Row>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if !self.first.is_empty() {
            destination.set_buffer(std::mem::take(&mut self.first).into());
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        loop {
            let part = match self.parts.poll_recv(context) {
                Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
                polled => ready!(polled),
            };
            match part {
                Some(Part::Rows(batch)) => {
                    destination.set_buffer(batch.rows.into());
                    return Poll::Ready(Ok(StreamResult::Completed));
                }
                Some(Part::Columns(_)) => {}
                None => return Poll::Ready(Ok(StreamResult::Dropped)),
            }
        }
    }
}
