//! The access log: one line a request, written when its answer has ended.

use std::{net::IpAddr, sync::Arc, time::Instant};

use http::{Method, Response, StatusCode};
use http_body::Body;

use super::headers;

/// The line of one request. It is written when this is dropped, wherever the request has got to by then.
pub struct AccessLine {
    began: Instant,
    method: Method,
    /// Answers to these have no body, whatever its length would be.
    bodiless: bool,
    request_id: Arc<str>,
    traceparent: Arc<str>,
    client: IpAddr,
    route: Arc<str>,
    component: Arc<str>,
    version: Option<Arc<str>>,
    status: Option<StatusCode>,
    /// What the body will have in all, where that is known beforehand.
    length: Option<u64>,
    bytes: u64,
    end: End,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It was sent as a whole.
    Complete,
    /// Its guest ended, failed, or did not go on, in the middle of it.
    CutOff,
    /// Its client did not stay for it.
    ClientLeft,
}

impl AccessLine {
    /// The line of a request that has just come. `None` where nobody reads it.
    pub fn begin(
        began: Instant,
        method: &Method,
        request_id: &Arc<str>,
        traceparent: &Arc<str>,
        client: IpAddr,
    ) -> Option<Box<Self>> {
        tracing::enabled!(target: "access", tracing::Level::INFO).then(|| {
            Box::new(Self {
                began,
                method: method.clone(),
                bodiless: method == Method::HEAD,
                request_id: request_id.clone(),
                traceparent: traceparent.clone(),
                client,
                route: "-".into(),
                component: "-".into(),
                version: None,
                status: None,
                length: None,
                bytes: 0,
                end: End::ClientLeft,
            })
        })
    }

    /// Who is asked.
    pub fn found(&mut self, route: &str, component: &Arc<str>) {
        self.route = route.into();
        self.component = component.clone();
    }

    /// The answer begins.
    pub fn answered(&mut self, version: Option<&Arc<str>>, response: &Response<impl Body>) {
        let status = response.status();
        self.version = version.cloned();
        self.status = Some(status);
        self.bodiless |= matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        self.length = response.body().size_hint().exact();
    }

    /// So much more of the body goes to the client, perhaps the last of it.
    pub fn sent(&mut self, bytes: usize, is_last: bool) {
        self.bytes += bytes as u64;
        if is_last {
            self.complete();
        }
    }

    /// The body has come to its end.
    pub fn complete(&mut self) {
        self.end = End::Complete;
    }

    /// The body breaks off.
    pub fn cut_off(&mut self) {
        self.end = End::CutOff;
    }
}

impl End {
    fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::CutOff => "cut off",
            Self::ClientLeft => "client left",
        }
    }
}

impl Drop for AccessLine {
    fn drop(&mut self) {
        let sent_whole = self.status.is_some() && (self.bodiless || self.length == Some(self.bytes));
        let end = if sent_whole { End::Complete } else { self.end };
        tracing::info!(
            target: "access",
            method = %self.method,
            route = &*self.route,
            component = &*self.component,
            version = self.version.as_deref().unwrap_or("-"),
            status = self.status.map(|status| status.as_u16()),
            duration_us = self.began.elapsed().as_micros() as u64,
            bytes = self.bytes,
            end = end.word(),
            client.address = %self.client,
            request.id = &*self.request_id,
            trace.id = headers::trace_id(&self.traceparent),
        );
    }
}
