//! Where a request comes from.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::extract::FromRequestParts;
use http::request::Parts;

/// The client's address as the host knows it, which also knows whom to believe of the proxies in between. What a request
/// says in `x-forwarded-for` could be anything, so it is not looked at here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let text = parts.headers.get("spin-client-addr").and_then(|value| value.to_str().ok());
        Ok(Self(text.and_then(|text| text.parse::<SocketAddr>().ok()).map(|peer| peer.ip())))
    }
}
