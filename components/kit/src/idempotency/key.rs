//! The header.

use axum::extract::FromRequestParts;
use http::request::Parts;
use utoipa::IntoParams;

use crate::{Problem, problem::kinds};

/// Longest key.
pub const KEY_MAX_BYTES: usize = 255;

/// The header's value; 400 where it is missing or malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub String);

/// The header in the documents.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKeyHeader {
    /// A fresh UUID for each new intent; the same one when you repeat it. It may stand in quotation marks.
    #[param(
        rename = "Idempotency-Key",
        pattern = r#"^([!#-~]{1,255}|"[!#-~]{1,255}")$"#,
        example = "8e03978e-40d5-43e8-bc93-6894a57f9324"
    )]
    #[expect(dead_code, reason = "it is there to be described")]
    idempotency_key: String,
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let value = parts.headers.get("idempotency-key").ok_or_else(missing)?;
        let text = value.to_str().unwrap_or_default().trim();
        // The draft's grammar is a quoted string; bare ones are what most clients send.
        let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
        let sound = (1..=KEY_MAX_BYTES).contains(&bare.len()) && bare.bytes().all(visible);
        sound.then(|| Self(bare.to_owned())).ok_or_else(malformed)
    }
}

fn missing() -> Problem {
    Problem::new(
        kinds::IDEMPOTENCY_KEY_MISSING,
        "Send an `Idempotency-Key` header, a fresh UUID for each new intent and the same one when you repeat it.",
    )
}

fn malformed() -> Problem {
    let detail = format!(
        "The Idempotency-Key must have 1 to {KEY_MAX_BYTES} visible ASCII characters, none of them a quotation mark."
    );
    Problem::new(kinds::NO_IDEMPOTENCY_KEY, detail)
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
        for wrong in ["", "a b", "\"\"", "a\"b", "\"a", &"x".repeat(256)] {
            assert_eq!(key(wrong).await.unwrap_err().status(), 400, "{wrong}");
        }
    }
}
