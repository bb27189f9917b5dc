//! Row versions as entity tags, and the precondition that names one.

use axum::extract::FromRequestParts;
use http::{HeaderValue, header, request::Parts};
use utoipa::IntoParams;

use crate::{Problem, input::number_from_1, problem::kinds};

/// The ETag of a row in this version.
pub fn of(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

/// Which version an `If-Match` header demands (RFC 9110, 13.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<i64>);

/// A version that no row has: rows count from 1.
const NO_VERSION: i64 = 0;

/// The `If-Match` header in the documents.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatchHeader {
    /// The `ETag` of what you read. Where it has changed since, nothing is done: 412.
    #[param(rename = "If-Match", pattern = r#"^(\*|(W/)?"[!#-~]*")$"#, example = "\"1\"")]
    #[expect(dead_code, reason = "it is there to be described")]
    if_match: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    /// `None` for `*` and where there is no such header. A tag of another kind than ours matches no version; what is no
    /// entity tag is malformed.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Ok(Self(None));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let (weak, tag) = text.strip_prefix("W/").map_or((false, text), |tag| (true, tag));
        let inside = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let inside = inside.filter(|inside| inside.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'));
        let inside = inside.ok_or_else(malformed)?;
        // A weak tag never matches in If-Match.
        let version = number_from_1(inside).filter(|_| !weak);
        Ok(Self(Some(version.unwrap_or(NO_VERSION))))
    }
}

fn malformed() -> Problem {
    Problem::new(
        kinds::NO_ENTITY_TAG,
        "`If-Match` must be the ETag of what you read, with its quotation marks, or `*`; one tag, not a list.",
    )
}
