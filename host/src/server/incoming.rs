//! A request's body on its way to the guest.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming as Arriving;
use tokio::time::timeout;
use wasmtime_wasi_http::Error;

use super::silence::Silence;
use crate::limits::BODY_PAUSE;

/// Why a request's body broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is larger than its component takes.
    TooLarge,
    /// Its client paused for too long.
    TooSlow,
}

/// Tells whether a request's body broke off. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct BrokeOff(Arc<OnceLock<Fault>>);

impl BrokeOff {
    /// Why it did, if it did.
    pub fn fault(&self) -> Option<Fault> {
        self.0.get().copied()
    }
}

/// What a request's body may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// In bytes.
    pub bytes: u64,
    /// For a pause in the middle of it.
    pub pause: Duration,
}

/// A request's body, which breaks off with an error when it is out of its bounds.
pub struct Incoming<B = Arriving> {
    body: B,
    /// What came before the request was given to a guest.
    early: VecDeque<Frame<Bytes>>,
    left: u64,
    bounds: Bounds,
    silence: Silence,
    broke_off: BrokeOff,
}

impl<B: Body<Data = Bytes, Error: Into<Error>> + Unpin> Incoming<B> {
    /// The body, and whether it broke off.
    pub fn new(body: B, bounds: Bounds) -> (Self, BrokeOff) {
        let broke_off = BrokeOff::default();
        let (left, silence) = (bounds.bytes, Silence::of(bounds.pause));
        (Self { body, early: VecDeque::new(), left, bounds, silence, broke_off: broke_off.clone() }, broke_off)
    }

    /// Waits until it has come, or so many bytes of it, or until its client pauses and `is_enough`.
    ///
    /// # Errors
    /// When it breaks off before that.
    pub async fn beforehand(mut self, bytes: usize, is_enough: impl Fn() -> bool) -> Result<Self, Error> {
        while self.early_bytes() < bytes as u64 {
            match timeout(BODY_PAUSE, poll_fn(|context| self.poll_client(context))).await {
                Ok(Some(frame)) => self.early.push_back(frame?),
                Ok(None) => break,
                Err(_) if is_enough() => break,
                Err(_) => {}
            }
        }
        Ok(self)
    }

    fn poll_client(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_pending() {
            let too_long = self.silence.poll_too_long(context, None);
            return too_long.map(|()| Some(Err(self.break_off(Fault::TooSlow))));
        }
        self.silence.end();
        polled.map(|frame| {
            let frame = match frame? {
                Ok(frame) => frame,
                Err(error) => return Some(Err(error.into())),
            };
            let size = frame.data_ref().map_or(0, |data| data.len() as u64);
            let Some(left) = self.left.checked_sub(size) else {
                return Some(Err(self.break_off(Fault::TooLarge)));
            };
            self.left = left;
            Some(Ok(frame))
        })
    }

    fn break_off(&self, fault: Fault) -> Error {
        match self.broke_off.0.get_or_init(|| fault) {
            Fault::TooLarge => Error::HttpRequestBodySize(Some(self.bounds.bytes)),
            Fault::TooSlow => Error::ConnectionReadTimeout,
        }
    }

    fn early_bytes(&self) -> u64 {
        self.early.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum()
    }
}

impl<B: Body<Data = Bytes, Error: Into<Error>> + Unpin> Body for Incoming<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.early.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => self.poll_client(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.early.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let coming = self.body.size_hint();
        coming.exact().map_or_else(SizeHint::default, |coming| SizeHint::with_exact(coming + self.early_bytes()))
    }
}
