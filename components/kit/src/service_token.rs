//! The token by which the shop's own components know one another on `/internal/…`.

use axum::extract::FromRequestParts;
use http::request::Parts;
use sha2::{Digest, Sha256};

use crate::{Problem, settings};

/// The header that carries it.
pub const HEADER: &str = "x-service-token";

/// Proof that a request comes from a component of the shop. To anyone else the path does not exist: 404.
#[derive(Debug, Clone, Copy)]
pub struct FromService;

impl<S: Send + Sync> FromRequestParts<S> for FromService {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let sent = parts.headers.get(HEADER).map(|value| value.as_bytes());
        let expected = settings::get_or("service_token", "").await;
        match sent {
            Some(sent) if !expected.is_empty() && same(sent, expected.as_bytes()) => Ok(Self),
            _ => Err(Problem::not_found("There is nothing here.")),
        }
    }
}

/// Compares digests, so that the time taken tells nothing about the token.
fn same(left: &[u8], right: &[u8]) -> bool {
    Sha256::digest(left) == Sha256::digest(right)
}
