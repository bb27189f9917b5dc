//! The header.

use axum::extract::FromRequestParts;
use http::{StatusCode, request::Parts};

use crate::Problem;

/// Longest key.
pub const KEY_MAX_BYTES: usize = 255;

/// The header's value; 400 where it is missing or malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let value = parts.headers.get("idempotency-key").ok_or_else(|| {
            Problem::named(
                StatusCode::BAD_REQUEST,
                "idempotency-key-missing",
                "Send an `Idempotency-Key` header, a fresh UUID for each new intent and the same one when you repeat it.",
            )
        })?;
        let text = value.to_str().unwrap_or_default().trim();
        // The draft's grammar is a quoted string; bare ones are what most clients send.
        let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let sound = !bare.is_empty() && bare.len() <= KEY_MAX_BYTES && bare.bytes().all(|byte| byte.is_ascii_graphic());
        if !sound {
            return Err(Problem::malformed(format!(
                "The Idempotency-Key must have 1 to {KEY_MAX_BYTES} visible ASCII characters."
            )));
        }
        Ok(Self(bare.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn key(value: &str) -> Result<IdempotencyKey, Problem> {
        let request = http::Request::get("/").header("idempotency-key", value).body(());
        let (mut parts, ()) = request.unwrap().into_parts();
        IdempotencyKey::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_key_may_be_quoted_or_bare() {
        assert_eq!(key("\"abc\"").await.unwrap().0, "abc");
        assert_eq!(key("abc").await.unwrap().0, "abc");
        assert_eq!(key("a b").await.unwrap_err().status(), 400);
        assert_eq!(key(&"x".repeat(256)).await.unwrap_err().status(), 400);
    }
}
