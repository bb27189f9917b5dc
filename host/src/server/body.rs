//! Bodies on their way in and out.

use std::{
    collections::VecDeque,
    future::poll_fn,
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

use super::activity::Exchange;
use crate::{limits::GATHER_TURNS, service::Guard};

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
    /// The request that this answers, under way until this is dropped.
    _exchange: Option<Exchange>,
    /// What came before the answer's head was sent.
    gathered: VecDeque<Result<Frame<Bytes>, Error>>,
    /// Whether there is nothing beyond what was gathered.
    ended: bool,
}

impl Outgoing {
    /// A guest's body.
    pub fn guarded(body: WasiBody, guard: Guard) -> Self {
        Self { body, guard: Some(guard), _exchange: None, gathered: VecDeque::new(), ended: false }
    }

    /// The host's own body.
    pub fn text(text: impl Into<Bytes>) -> Self {
        let body = http_body_util::Full::new(text.into());
        let body = body.map_err(|never: std::convert::Infallible| match never {}).boxed_unsync();
        Self { body, guard: None, _exchange: None, gathered: VecDeque::new(), ended: false }
    }

    /// Lets the request count as under way until the body has been sent, or nobody wants it any more.
    pub fn during(self, exchange: Exchange) -> Self {
        Self { _exchange: Some(exchange), ..self }
    }

    /// Gives a guest the next few turns of this thread to write its body. A short answer then leaves in one piece and
    /// with its length, instead of head, body and end each by itself; one that takes longer streams as it comes.
    pub async fn gather(mut self) -> Self {
        let mut turns = GATHER_TURNS;
        while turns > 0 && !self.ended && self.gathered.len() < 2 {
            match poll_fn(|context| Poll::Ready(Pin::new(&mut self.body).poll_frame(context))).await {
                Poll::Ready(Some(frame)) => self.gathered.push_back(frame),
                Poll::Ready(None) => self.end(),
                Poll::Pending => {
                    turns -= 1;
                    tokio::task::yield_now().await;
                }
            }
        }
        self
    }

    fn end(&mut self) {
        self.ended = true;
        self.guard = None;
    }

    /// The bytes that were gathered, if that is all there is and it is nothing but bytes.
    fn gathered_bytes(&self) -> Option<u64> {
        let lengths = self.gathered.iter().map(|frame| Some(frame.as_ref().ok()?.data_ref()?.len() as u64));
        self.ended.then(|| lengths.sum()).flatten()
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(frame) = self.gathered.pop_front() {
            return Poll::Ready(Some(frame));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() {
            self.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.gathered.is_empty() && (self.ended || self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match (self.gathered_bytes(), self.gathered.is_empty()) {
            (Some(bytes), _) => SizeHint::with_exact(bytes),
            (None, true) => self.body.size_hint(),
            (None, false) => SizeHint::default(),
        }
    }
}
