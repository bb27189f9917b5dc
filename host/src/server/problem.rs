//! The host's own error answers: problem details (RFC 9457).

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

use super::outgoing::Outgoing;
use crate::{limits::RETRY_AFTER_SECONDS, service::Failure};

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    /// A problem with this status and text; the text is for the client.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// What a client is told of a failure: never the trap, which is in the log under the request's id.
    pub fn of(failure: &Failure) -> Self {
        let (status, detail) = match failure {
            Failure::Overloaded { .. } | Failure::NotBegun { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "Too many requests are waiting; try again shortly.")
            }
            Failure::Unserved { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The component that answers here cannot be served at present; its operator is told why.",
            ),
            Failure::Stopping { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "The service is shutting down; try again shortly.")
            }
            Failure::DeadlineExceeded { .. } => (StatusCode::GATEWAY_TIMEOUT, "The request took longer than it may."),
            Failure::Cycle { .. } => {
                (StatusCode::LOOP_DETECTED, "The components of this application call one another in a circle.")
            }
            Failure::Trapped { .. }
            | Failure::InstanceLost { .. }
            | Failure::Instantiation { .. }
            | Failure::Refused { .. }
            | Failure::NoExport { .. } => return Self::failed(),
        };
        Self::new(status, detail)
    }

    /// What a client is told of an answer that was begun in vain.
    pub fn failed() -> Self {
        let detail = "The component failed to answer; the log has the reason under this request's id.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Whether the rest of the request's body is not read, so that its connection serves no other request.
    pub fn leaves_body(&self) -> bool {
        matches!(self.status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT)
    }

    /// The answer to a request with this id. No browser guesses at its type, and one that came by TLS comes by TLS again:
    /// this address alone, since the host knows of no other.
    pub fn into_response(self, request_id: &str, by_tls: bool) -> Response<Outgoing> {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "request_id": request_id,
        });
        let mut response = Response::new(Outgoing::text(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if by_tls {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}
