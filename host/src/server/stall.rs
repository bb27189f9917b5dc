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
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

use super::activity::Activity;

/// How HTTP/2 begins (RFC 9113, 3.4). Its heads are frames among others, so no clock runs for them: an HTTP/2 connection
/// that is alive answers pings, and one without a request is idle.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2";

/// How many buffers of unread bytes are taken in before a connection is closed.
const DISCARDED_READS: usize = 256;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the first byte of a head, or from the start of the connection, to the end of the head.
    pub head: Duration,
    /// For a write to make progress.
    pub write: Duration,
}

/// A stream that fails when its client is too slow.
pub struct StallGuard {
    stream: TcpStream,
    activity: Activity,
    patience: Patience,
    /// Runs while a write waits.
    writing: Option<Pin<Box<Sleep>>>,
    head: Head,
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

impl StallGuard {
    /// Guards a stream.
    pub fn new(stream: TcpStream, activity: Activity, patience: Patience) -> Self {
        let head = Head { clock: Some(Box::pin(sleep(patience.head))), complete: 0, counted: true };
        Self { stream, activity, patience, writing: None, head }
    }

    /// Takes in what the client has sent and nobody will read. A socket that is closed with unread bytes resets the
    /// connection, and the client then loses the answer that says why.
    fn discard_unread(&mut self, context: &mut Context<'_>) {
        let mut bytes = [0; 4096];
        for _ in 0..DISCARDED_READS {
            let mut into = ReadBuf::new(&mut bytes);
            let read = Pin::new(&mut self.stream).poll_read(context, &mut into);
            if !matches!(read, Poll::Ready(Ok(()))) || into.filled().is_empty() {
                return;
            }
        }
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

impl AsyncRead for StallGuard {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        let came = into.filled().get(before..).unwrap_or_default();
        self.judge_head(context, came)?;
        read
    }
}

impl AsyncWrite for StallGuard {
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
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        self.discard_unread(context);
        Poll::Ready(Ok(()))
    }
}
