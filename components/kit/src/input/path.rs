//! What a path names.

use axum::extract::{FromRequestParts, rejection::PathRejection};
use http::request::Parts;
use utoipa::IntoParams;

use crate::Problem;

/// The number at the `{id}` of a path, from 1. Anything else names nothing, so it is 404 like a number that nobody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub i64);

/// The `{id}` of a path in the documents.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct IdPath {
    /// The number. What is no number from 1 is as little there as a number that nobody has: 404.
    #[param(minimum = 1, example = 1)]
    #[expect(dead_code, reason = "it is there to be described")]
    id: i64,
}

/// The text at the `{…}` of a path; 404 where it cannot be read, since nothing has such a name.
#[derive(Debug)]
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Named(text) = Named::from_request_parts(parts, state).await?;
        number_from_1(&text).map(Self).ok_or_else(nothing_here)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<String>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(text)) => Ok(Self(text)),
            Err(PathRejection::FailedToDeserializePathParams(_)) => Err(nothing_here()),
            Err(_) => Err(Problem::internal()),
        }
    }
}

/// The number in this text, from 1. One number has one spelling: neither `+1` nor `01` is taken for `1`.
pub fn number_from_1(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| *number >= 1 && number.to_string() == text)
}

fn nothing_here() -> Problem {
    Problem::not_found("There is nothing of this name or number.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_a_path_has_one_spelling() {
        assert_eq!(number_from_1("17"), Some(17));
        assert_eq!(number_from_1("9223372036854775807"), Some(i64::MAX));
        for text in ["teapot", "", "0", "-1", "+1", "01", "1.5", " 1", "99999999999999999999"] {
            assert_eq!(number_from_1(text), None, "{text}");
        }
    }
}
