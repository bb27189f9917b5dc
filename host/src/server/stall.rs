//! A connection whose client is too slow is cut off: one that does not read its answer, or does not come to the end of
//! a request's head.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use super::activity::Activity;
use crate::limits::{LINGER_BEGINNING, LINGER_BYTES, LINGER_TIME};

/// How HTTP/2 begins (RFC 9113, 3.4). Its heads are frames among others, so no clock runs for them: an HTTP/2 connection
/// that is alive answers pings, and one without a request is idle.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2";

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the first byte of a head, or from the start of the connection, to the end of the head.
    pub head: Duration,
    /// For a write to make progress.
    pub write: Duration,
}

/// A stream that fails when its client is too slow.
pub struct StallGuard<S> {
    stream: S,
    activity: Activity,
    patience: Patience,
    /// Runs while a write waits.
    writing: Option<Pin<Box<Sleep>>>,
    head: Head,
    linger: Linger,
}

/// What becomes of a client that is still sending when its connection is closed.
#[derive(Default)]
struct Linger {
    /// Whether it was told that nothing more will come.
    told: bool,
    /// Runs while it may yet send what nobody will read.
    clock: Option<Pin<Box<Sleep>>>,
    bytes: usize,
}

/// The head that a client is sending.
struct Head {
    /// Runs while it is not complete.
    clock: Option<Pin<Box<Sleep>>>,
    /// Requests whose heads have come.
    complete: usize,
    /// Whether a clock runs for it at all: not over HTTP/2.
    counted: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> StallGuard<S> {
    /// Guards a stream.
    pub fn new(stream: S, activity: Activity, patience: Patience) -> Self {
        let head = Head { clock: Some(Box::pin(sleep(patience.head))), complete: 0, counted: true };
        Self { stream, activity, patience, writing: None, head, linger: Linger::default() }
    }

    /// Takes in what the client sends and nobody will read. Ready when it sends no more, or has done so for long enough.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 4096];
        while self.linger.bytes < LINGER_BYTES {
            let mut into = ReadBuf::new(&mut bytes);
            let read = Pin::new(&mut self.stream).poll_read(context, &mut into);
            if read.is_pending() {
                // What is still on its way would reset the connection as well.
                let clock = self.linger.clock.get_or_insert_with(|| Box::pin(sleep(LINGER_BEGINNING)));
                return clock.as_mut().poll(context);
            }
            if into.filled().is_empty() {
                return Poll::Ready(());
            }
            if self.linger.bytes == 0 {
                self.linger.clock = Some(Box::pin(sleep(LINGER_TIME)));
            }
            self.linger.bytes += into.filled().len();
        }
        Poll::Ready(())
    }

    /// Lets the clock of a head run from its first byte until the request has begun.
    fn judge_head(&mut self, context: &mut Context<'_>, came: &[u8]) -> io::Result<()> {
        let begun = self.activity.begun();
        if begun != self.head.complete {
            self.head.complete = begun;
            self.head.clock = None;
        }
        if begun == 0 && came.starts_with(HTTP2_PREFACE) {
            self.head.clock = None;
            self.head.counted = false;
        }
        if self.head.clock.is_none() && self.head.counted && !came.is_empty() && !self.activity.is_busy() {
            self.head.clock = Some(Box::pin(sleep(self.patience.head)));
        }
        let over = self.head.clock.as_mut().is_some_and(|clock| clock.as_mut().poll(context).is_ready());
        if over {
            let slow = "the client does not come to the end of a request's head";
            return Err(io::Error::new(io::ErrorKind::TimedOut, slow));
        }
        Ok(())
    }

    fn judge<T>(&mut self, context: &mut Context<'_>, progress: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.writing = None;
            return progress;
        }
        let patience = self.patience.write;
        let waiting = self.writing.get_or_insert_with(|| Box::pin(sleep(patience)));
        if waiting.deadline() > Instant::now() && waiting.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for StallGuard<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        let came = into.filled().get(before..).unwrap_or_default();
        self.judge_head(context, came)?;
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for StallGuard<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, progress)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(context, progress)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.linger.told {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            self.linger.told = true;
        }
        self.poll_linger(context).map(Ok)
    }
}
