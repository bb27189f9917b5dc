//! The body of an answer, as the guest receives it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep},
};
use wasmtime_wasi_http::Error;

use super::error::translate;

/// A body that fails when its next piece takes too long, and counts as a request under way until it ends.
pub(super) struct ResponseBody {
    incoming: Incoming,
    between_bytes: Duration,
    timer: Pin<Box<Sleep>>,
    /// Set while the body waits: a guest that reads slowly must not be blamed on the server.
    waiting: bool,
    _permit: OwnedSemaphorePermit,
}

impl ResponseBody {
    pub(super) fn new(incoming: Incoming, between_bytes: Duration, permit: OwnedSemaphorePermit) -> Self {
        let timer = Box::pin(tokio::time::sleep(between_bytes));
        Self { incoming, between_bytes, timer, waiting: false, _permit: permit }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(context) {
            this.waiting = false;
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| translate(&error))));
        }
        if !this.waiting {
            this.waiting = true;
            let deadline = Instant::now() + this.between_bytes;
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
