//! The body of an answer, as the guest receives it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep},
};
use wasmtime_wasi_http::Error;

/// A body that fails when its next piece takes too long, and counts as a request under way until it ends.
pub(super) struct ResponseBody<B> {
    incoming: B,
    /// As long as it likes, where there is none.
    between_bytes: Option<Duration>,
    timer: Pin<Box<Sleep>>,
    /// Set while the body waits: a guest that reads slowly must not be blamed on the server.
    waiting: bool,
    _permit: OwnedSemaphorePermit,
}

impl<B> ResponseBody<B> {
    pub(super) fn new(incoming: B, between_bytes: Option<Duration>, permit: OwnedSemaphorePermit) -> Self {
        let timer = Box::pin(tokio::time::sleep(between_bytes.unwrap_or_default()));
        Self { incoming, between_bytes, timer, waiting: false, _permit: permit }
    }
}

impl<B: Body<Data = Bytes, Error = Error> + Unpin> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(context) {
            this.waiting = false;
            return Poll::Ready(frame);
        }
        let Some(between_bytes) = this.between_bytes else { return Poll::Pending };
        if !this.waiting {
            this.waiting = true;
            let deadline = Instant::now() + between_bytes;
            this.timer.as_mut().reset(deadline);
        }
        ready!(this.timer.as_mut().poll(context));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
