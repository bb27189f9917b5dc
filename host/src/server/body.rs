//! Bodies on their way in and out.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::service::Guard;

/// Tells whether a request's body turned out larger than its component takes.
#[derive(Debug, Clone, Default)]
pub struct TooLarge(Arc<AtomicBool>);

impl TooLarge {
    /// Whether it did.
    pub fn happened(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The request's body, which breaks off with an error after `limit` bytes.
pub fn limited(body: Incoming, limit: u64, too_large: &TooLarge) -> WasiBody {
    if body.is_end_stream() {
        return crate::service::empty();
    }
    Limited { body, left: limit, limit, too_large: too_large.clone() }.boxed_unsync()
}

struct Limited {
    body: Incoming,
    left: u64,
    limit: u64,
    too_large: TooLarge,
}

impl Body for Limited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else { return Poll::Ready(None) };
        let frame = frame.map_err(Error::from)?;
        let size = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left.checked_sub(size) {
            Some(left) => self.left = left,
            None => {
                self.too_large.0.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(self.limit)))));
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body, with the guard that tells the guest's worker whether it is still wanted.
pub struct Outgoing {
    body: WasiBody,
    guard: Option<Guard>,
}

impl Outgoing {
    /// A guest's body.
    pub fn guarded(body: WasiBody, guard: Guard) -> Self {
        Self { body, guard: Some(guard) }
    }

    /// The host's own body.
    pub fn text(text: impl Into<Bytes>) -> Self {
        let body = http_body_util::Full::new(text.into());
        Self { body: body.map_err(|never: std::convert::Infallible| match never {}).boxed_unsync(), guard: None }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() {
            self.guard = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
