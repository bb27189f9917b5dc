//! A response's body on its way to the client.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, WasiBody};

use super::{access::AccessLine, activity::Exchange, silence::Silence};
use crate::{limits::GATHER_TURNS, service::Guard};

/// What the rest of an answer may take once it has begun.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    /// For the guest to go on.
    pub pause: Duration,
    /// When it must have ended.
    pub until: Instant,
    /// For the client to ask for more, where the connection has no clock for that.
    pub unread: Option<Duration>,
}

/// A response's body, with the guard that tells the guest's worker whether it is still wanted.
pub struct Outgoing {
    body: WasiBody,
    guard: Option<Guard>,
    /// The request that this answers, under way until this is dropped.
    _exchange: Option<Exchange>,
    /// What came before the answer's head was sent.
    gathered: VecDeque<Frame<Bytes>>,
    /// Whether there is nothing beyond what was gathered.
    ended: bool,
    /// How many bytes are still to come, where the guest has said so.
    declared: Option<u64>,
    /// Runs while the guest is asked for more; the host's own bodies need none.
    clock: Option<Clock>,
    /// Written when this is dropped.
    line: Option<Box<AccessLine>>,
}

struct Clock {
    silence: Silence,
    until: Instant,
    unread: Option<Duration>,
}

impl Outgoing {
    /// A guest's body.
    pub fn guarded(body: WasiBody, guard: Guard, time: Time) -> Self {
        let clock = Clock { silence: Silence::of(time.pause), until: time.until, unread: time.unread };
        Self { guard: Some(guard), clock: Some(clock), ..Self::of(body) }
    }

    /// The host's own body.
    pub fn text(text: impl Into<Bytes>) -> Self {
        let body = http_body_util::Full::new(text.into());
        Self::of(body.map_err(|never: std::convert::Infallible| match never {}).boxed_unsync())
    }

    /// No body: the answer is its head.
    pub fn empty() -> Self {
        Self::of(crate::service::empty())
    }

    fn of(body: WasiBody) -> Self {
        let (declared, gathered) = (body.size_hint().exact(), VecDeque::new());
        Self { body, guard: None, _exchange: None, gathered, ended: false, declared, clock: None, line: None }
    }

    /// Lets the request count as under way until the body has been sent, or nobody wants it any more.
    pub fn during(self, exchange: Exchange) -> Self {
        Self { _exchange: Some(exchange), ..self }
    }

    /// Lets the access log know what becomes of it.
    pub fn noted(self, line: Option<Box<AccessLine>>) -> Self {
        Self { line, ..self }
    }

    /// Gives a guest the next few turns of this thread to write its body. A short answer then leaves in one piece, instead of
    /// head, body and end each by itself; one that takes longer streams as it comes.
    ///
    /// # Errors
    /// That of a body which breaks off here: nothing has left yet, so the client can still be told.
    pub async fn gather(mut self) -> Result<Self, Error> {
        let mut turns = GATHER_TURNS;
        while turns > 0 && !self.ended && self.gathered.len() < 2 {
            match poll_fn(|context| Poll::Ready(self.poll_guest(context))).await {
                Poll::Ready(Some(frame)) => self.gathered.push_back(frame?),
                Poll::Ready(None) => {}
                Poll::Pending => {
                    turns -= 1;
                    tokio::task::yield_now().await;
                }
            }
        }
        self.heed_client(false);
        Ok(self)
    }

    /// Lets the guest's worker know whether it is the client that is waited for.
    fn heed_client(&self, asks: bool) {
        let unread = self.clock.as_ref().and_then(|clock| clock.unread);
        if let (Some(guard), Some(unread)) = (&self.guard, unread) {
            guard.to_be_read_within((!asks).then_some(unread));
        }
    }

    /// The next frame of the guest. The body of an instance that is gone has not ended: it is cut off.
    fn poll_guest(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let polled = match polled {
            Poll::Ready(None) | Poll::Pending if self.is_cut_off() => {
                Poll::Ready(Some(Err(Error::HttpResponseIncomplete)))
            }
            polled => polled,
        };
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.end();
        }
        polled
    }

    /// The next frame for the client.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(frame) = self.gathered.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let polled = self.poll_guest(context);
        if !self.ended && self.is_too_late(context, polled.is_pending()) {
            self.end();
            return Poll::Ready(Some(Err(Error::HttpResponseTimeout)));
        }
        self.heed_client(polled.is_pending());
        polled
    }

    /// Whether the time for the guest to go on, or to have ended, is over.
    fn is_too_late(&mut self, context: &mut Context<'_>, silent: bool) -> bool {
        match &mut self.clock {
            Some(clock) if silent => clock.silence.poll_too_long(context, Some(clock.until)).is_ready(),
            Some(clock) => {
                clock.silence.end();
                clock.until <= Instant::now()
            }
            None => false,
        }
    }

    /// Takes note of what is handed on to the client.
    fn note(&mut self, polled: &Poll<Option<Result<Frame<Bytes>, Error>>>) {
        // hyper does not ask again when it knows that there is nothing more.
        let is_last = self.line.is_some() && self.is_end_stream();
        let Some(line) = &mut self.line else { return };
        match polled {
            Poll::Ready(Some(Ok(frame))) => line.sent(frame.data_ref().map_or(0, Bytes::len), is_last),
            Poll::Ready(Some(Err(_))) => line.cut_off(),
            Poll::Ready(None) => line.complete(),
            Poll::Pending => {}
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.guard = None;
    }

    fn is_cut_off(&self) -> bool {
        self.guard.as_ref().is_some_and(Guard::is_cut_off)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = self.poll_next(context);
        if let (Poll::Ready(Some(Ok(frame))), Some(declared)) = (&polled, &mut self.declared) {
            *declared = declared.saturating_sub(frame.data_ref().map_or(0, Bytes::len) as u64);
        }
        self.note(&polled);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.gathered.is_empty() && (self.ended || self.body.is_end_stream() && !self.is_cut_off())
    }

    fn size_hint(&self) -> SizeHint {
        self.declared.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
