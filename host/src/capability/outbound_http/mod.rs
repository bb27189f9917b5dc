//! HTTP requests that a guest sends, through `wasi:http` of WASI 0.2 and 0.3 alike.
//!
//! A request passes these gates: the manifest must grant its address (`allowed_outbound_hosts`); what its name resolves to
//! must be in no network that the runtime config blocks, whatever the manifest grants; and only so many go on at once.
//! `http://self/…` and `http://<component>.spin.internal/…` stay within the application, through a [`Chain`].

mod body;
mod chain;
mod connector;
mod error;
mod linker;
mod send;
mod sent;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

pub use chain::{Chain, ChainTarget, OnBehalfOf};
pub use linker::add_to_linker;
use sent::SentBody;

pub use send::{Grants, OutboundHttpSettings};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The outgoing side of one store. Headers that belong to the connection (`host`, `connection`, `transfer-encoding`, …)
/// are wasmtime-wasi-http's to refuse, which it does.
pub struct OutboundHttp {
    settings: Arc<OutboundHttpSettings>,
    traceparent: Option<Arc<str>>,
    on_behalf_of: Option<OnBehalfOf>,
    sender: Sender,
}

/// The instance that sends, as those see it who read what it sends.
#[derive(Debug, Clone, Default)]
pub struct Sender(Arc<AtomicBool>);

impl Sender {
    /// It ends out of order, and what it sends is not whole. To be said before its store is dropped: a body whose store is gone looks like
    /// one that has come to its end.
    pub fn cut_off(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_cut_off(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl OutboundHttp {
    /// Sends as `settings` say.
    pub fn new(settings: Arc<OutboundHttpSettings>) -> Self {
        Self { settings, traceparent: None, on_behalf_of: None, sender: Sender::default() }
    }

    /// Whom to tell that the instance ends out of order.
    pub fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// The next request carries this `traceparent` (W3C Trace Context), unless the guest sets one itself.
    pub fn set_traceparent(&mut self, traceparent: Option<Arc<str>>) {
        self.traceparent = traceparent;
    }

    /// The next request is sent on behalf of this, if it stays within the application. It is kept no longer than until then.
    pub fn set_on_behalf_of(&mut self, on_behalf_of: Option<OnBehalfOf>) {
        self.on_behalf_of = on_behalf_of;
    }

    fn take_traceparent(&mut self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.traceparent.take()?).ok()
    }
}

/// Drives the connection; ours are driven by tasks of their own.
type Driver = Box<dyn Future<Output = Result<()>> + Send>;

impl WasiHttpHooks for OutboundHttp {
    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processing: Driver,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Driver)>> + Send> {
        if let Some(value) = self.take_traceparent() {
            request.headers_mut().entry(TRACEPARENT).or_insert(value);
        }
        if let Some(on_behalf_of) = self.on_behalf_of.take() {
            request.extensions_mut().insert(on_behalf_of);
        }
        let request = request.map(|body| SentBody::new(body, self.sender.clone()).boxed_unsync());
        let settings = self.settings.clone();
        Box::new(async move {
            let response = settings.send(request, options.unwrap_or_default()).await?;
            Ok((response, Box::new(async { Ok::<_, Error>(()) }) as Driver))
        })
    }
}

#[cfg(test)]
mod tests;
