//! The body of a request, as whoever is asked receives it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};

use super::Sender;

/// A body that fails when its sender ends out of order, which otherwise would look like its end.
pub(super) struct SentBody {
    body: WasiBody,
    sender: Sender,
    ended: bool,
}

impl SentBody {
    pub(super) fn new(body: WasiBody, sender: Sender) -> Self {
        // What has no bytes from the start is whole, whatever becomes of its sender.
        let ended = body.is_end_stream();
        Self { body, sender, ended }
    }
}

impl Body for SentBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut this.body).poll_frame(context);
        let polled = match polled {
            Poll::Ready(None) | Poll::Pending if this.sender.is_cut_off() => {
                Poll::Ready(Some(Err(Error::ConnectionTerminated)))
            }
            polled => polled,
        };
        this.ended = matches!(polled, Poll::Ready(None | Some(Err(_))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream() && !self.sender.is_cut_off()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
