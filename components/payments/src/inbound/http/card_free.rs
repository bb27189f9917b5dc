//! A body that holds no card number.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse;
use kit::input::Hashed;
use kit::{Faults, Input, Problem};
use serde_json::Value;

use crate::domain::card::holds_a_card_number;

/// A checked JSON body and the SHA-256 of what was sent; 422 for one with something like a card number in it, of which
/// nothing is repeated or logged.
#[derive(Debug)]
pub struct CardFree<T: Input>(pub T::Checked, pub [u8; 32]);

impl<S: Send + Sync, T: Input> FromRequest<S> for CardFree<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let bytes = Bytes::from_request(request, state).await.map_err(|error| {
            let status = error.into_response().status();
            Problem::of(status, "The body is too large or could not be read.")
        })?;
        if shows_a_card_number(&bytes) {
            return Err(card_number());
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        let Hashed(checked, sha256) = Hashed::<T>::from_request(request, state).await?;
        Ok(Self(checked, sha256))
    }
}

/// As it was sent, or as it reads: JSON may write any character as `\u0034`.
fn shows_a_card_number(body: &[u8]) -> bool {
    let as_it_reads = || serde_json::from_slice(body).is_ok_and(|value| holds_one_in_a_text(&value));
    holds_a_card_number(&String::from_utf8_lossy(body)) || (body.contains(&b'\\') && as_it_reads())
}

fn holds_one_in_a_text(value: &Value) -> bool {
    match value {
        Value::String(text) => holds_a_card_number(text),
        Value::Array(values) => values.iter().any(holds_one_in_a_text),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| holds_a_card_number(name) || holds_one_in_a_text(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn card_number() -> Problem {
    let mut faults = Faults::new();
    faults.add("body", "holds something like a card number; send the token that the payment provider's form gave");
    Problem::invalid(faults)
}
