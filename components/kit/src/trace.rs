//! The trace that a request belongs to.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

/// The request's `traceparent` (W3C Trace Context), where it has one; events that it causes carry it on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traceparent(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Traceparent {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let value = parts.headers.get("traceparent").and_then(|value| value.to_str().ok());
        Ok(Self(value.map(str::to_owned)))
    }
}
