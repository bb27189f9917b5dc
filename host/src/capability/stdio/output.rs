//! A guest's standard output or standard error.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

use super::{limiter::OutputLimiter, lines::Lines};

/// Bytes a guest may hand over in one write.
const WRITE_BYTES: usize = 64 * 1024;

/// The request that is printing at the moment, in one store. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct CurrentRequest(Arc<Mutex<Option<Arc<str>>>>);

impl CurrentRequest {
    /// From now on, what is printed belongs to `request`.
    pub fn set(&self, request: Option<Arc<str>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = request;
    }

    /// The request that what is printed now belongs to.
    pub fn get(&self) -> Option<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Who prints.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The component's id.
    pub component: Arc<str>,
    /// Its version.
    pub version: Arc<str>,
}

/// Which of a guest's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl OutputKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// One stream of one instance. Each line becomes an event of target `guest` with the fields `component`, `version`,
/// `stream` and, where it is known, `request.id`.
///
/// Writing never waits, and holds at most one line of [`LOG_LINE_BYTES`](crate::limits::LOG_LINE_BYTES): longer ones are
/// cut, and what exceeds the component's [`OutputLimiter`] is counted and dropped.
#[derive(Clone)]
pub struct GuestOutput {
    lines: Arc<Lines>,
    request: CurrentRequest,
    /// The request for which this handle was opened, where one handle serves one request only.
    opened_for: Option<Arc<str>>,
}

impl GuestOutput {
    /// The stream `kind` of an instance of `origin`, whose lines belong to what `request` says at that time.
    pub fn new(origin: Origin, kind: OutputKind, limiter: Arc<OutputLimiter>, request: CurrentRequest) -> Self {
        let lines = Lines::new(origin, kind, limiter);
        Self { lines: Arc::new(lines), request, opened_for: None }
    }

    fn print(&self, bytes: &[u8]) {
        let request = self.opened_for.clone().or_else(|| self.request.get());
        self.lines.print(request, bytes);
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // What goes through a stream of WASI 0.3 is written later, outside any guest task: the request is the one that
        // opened it.
        Box::new(Self { lines: self.lines.clone(), request: self.request.clone(), opened_for: self.request.get() })
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

impl AsyncWrite for GuestOutput {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.print(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
