//! Inputs: a body, path or query becomes a domain type, or a problem that lists every wrong field.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::PathRejection},
    response::IntoResponse,
};
use http::{HeaderMap, header, request::Parts};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use sha2::{Digest, Sha256};

use crate::{Faults, Problem, faults::FAULTS_MAX};

/// The raw form of an input. Every field is an `Option`, so that a missing field is noted in [`Input::check`] beside
/// all other faults instead of ending the reading; `#[serde(deny_unknown_fields)]` refuses what is not expected.
pub trait Input: DeserializeOwned {
    /// What it becomes once every field is sound.
    type Checked;

    /// The sound input, or `None` after noting every fault.
    fn check(self, faults: &mut Faults) -> Option<Self::Checked>;
}

/// A JSON body, checked: 415 for another media type, 413 where it is too large, 400 where it is no JSON, 422 with
/// every wrong field.
#[derive(Debug)]
pub struct Valid<T: Input>(pub T::Checked);

/// A checked JSON body, with the SHA-256 of what was sent, for an idempotency key.
#[derive(Debug)]
pub struct Hashed<T: Input>(pub T::Checked, pub [u8; 32]);

/// Parameters of the path; 422 where one is not of its type.
#[derive(Debug)]
pub struct Path<T>(pub T);

/// Parameters of the query, all read as strings. Unknown ones are ignored; `limit` and `cursor` belong to
/// [`crate::Paging`].
#[derive(Debug)]
pub struct Query<T: Input>(pub T::Checked);

impl<S: Send + Sync, T: Input> FromRequest<S> for Valid<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request, state).await?;
        Ok(Self(read_body::<T>(&bytes)?))
    }
}

impl<S: Send + Sync, T: Input> FromRequest<S> for Hashed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request, state).await?;
        Ok(Self(read_body::<T>(&bytes)?, Sha256::digest(&bytes).into()))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                let mut faults = Faults::new();
                faults.add("path", error.body_text());
                Err(Problem::invalid(faults))
            }
            Err(_) => Err(Problem::internal()),
        }
    }
}

impl<S: Send + Sync, T: Input> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
            .map_err(|_| Problem::malformed("The query string cannot be read."))?;
        let fields: Map<String, Value> = pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        read_fields::<T>(fields, Unknown::Ignored).map(Self)
    }
}

/// What to do with fields that the input does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Refused,
    Ignored,
}

async fn json_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        return Err(Problem::of(
            http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be JSON: send `Content-Type: application/json`.",
        ));
    }
    Bytes::from_request(request, state).await.map_err(|error| {
        let status = error.into_response().status();
        let detail = match status.as_u16() {
            413 => "The body is too large.",
            _ => "The body could not be read.",
        };
        Problem::of(status, detail)
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads and checks a JSON body.
pub fn read_body<T: Input>(bytes: &[u8]) -> Result<T::Checked, Problem> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => read_fields::<T>(fields, Unknown::Refused),
        Ok(_) => {
            let mut faults = Faults::new();
            faults.add("body", "must be a JSON object");
            Err(Problem::invalid(faults))
        }
        Err(error) => {
            Err(Problem::malformed(format!("The body is no JSON (line {}, column {}).", error.line(), error.column())))
        }
    }
}

/// Reads field by field: a field that cannot be read is noted and left out, and the rest is read again, so that one
/// answer names all of them.
fn read_fields<T: Input>(fields: Map<String, Value>, unknown: Unknown) -> Result<T::Checked, Problem> {
    let mut faults = Faults::new();
    let mut input = Value::Object(fields);
    for _ in 0..=FAULTS_MAX {
        let error = match serde_path_to_error::deserialize::<_, T>(input.clone()) {
            Ok(raw) => return checked(raw, faults),
            Err(error) => error,
        };
        let message = error.inner().to_string();
        let mut path: Vec<Segment> = error.path().iter().cloned().collect();
        let stranger = unknown_name(&message);
        if let Some(name) = stranger {
            name_last(&mut path, name);
        }
        if stranger.is_none() || unknown == Unknown::Refused {
            faults.add(spelled(&path), message);
        }
        if !remove(&mut input, &path) {
            break;
        }
    }
    Err(Problem::invalid(faults))
}

fn checked<T: Input>(raw: T, mut faults: Faults) -> Result<T::Checked, Problem> {
    match raw.check(&mut faults) {
        Some(value) if faults.is_empty() => Ok(value),
        _ => Err(Problem::invalid(faults)),
    }
}

/// The name in serde's message about a field that it does not know.
fn unknown_name(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("unknown field `")?;
    rest.split('`').next()
}

/// Makes the path end in the unknown field, whether or not it already did.
fn name_last(path: &mut Vec<Segment>, name: &str) {
    let named = matches!(path.last(), Some(Segment::Map { key }) if key == name);
    if !named {
        path.push(Segment::Map { key: name.to_owned() });
    }
}

/// `items[0].quantity`.
fn spelled(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Segment::Unknown => {}
        }
    }
    if text.is_empty() { "body".to_owned() } else { text }
}

/// Takes the value at this path out of its object; `false` where there is none to take.
fn remove(input: &mut Value, path: &[Segment]) -> bool {
    let Some((last, way)) = path.split_last() else {
        return false;
    };
    let mut place = input;
    for segment in way {
        let next = match segment {
            Segment::Map { key } => place.get_mut(key),
            Segment::Seq { index } => place.get_mut(index),
            _ => None,
        };
        match next {
            Some(next) => place = next,
            None => return false,
        }
    }
    match (last, place) {
        (Segment::Map { key }, Value::Object(fields)) => fields.remove(key).is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::Money;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        product: Option<i64>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: Option<String>,
        price: Option<Money>,
        count: Option<i64>,
        lines: Option<Vec<Line>>,
    }

    impl Input for Body {
        type Checked = (String, Money);

        fn check(self, faults: &mut Faults) -> Option<Self::Checked> {
            let name = faults.required("name", self.name);
            let price = faults.required("price", self.price);
            let _ = faults.required("count", self.count);
            for (index, line) in self.lines.into_iter().flatten().enumerate() {
                faults.required(&format!("lines[{index}].product"), line.product);
            }
            Some((name?, price?))
        }
    }

    fn fields(body: &str) -> Vec<String> {
        let problem = read_body::<Body>(body.as_bytes()).unwrap_err();
        let value: Value = serde_json::from_str(&problem.body()).unwrap();
        let errors = value["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|fault| fault["field"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_sound_body_becomes_its_type() {
        let read = read_body::<Body>(br#"{"name":"x","price":19.99,"count":1}"#);
        assert_eq!(read.unwrap(), ("x".to_owned(), Money::from_minor(1999)));
    }

    #[test]
    fn one_answer_names_every_wrong_field() {
        let named = fields(r#"{"name":5,"price":1.999,"extra":1,"more":{"a":2}}"#);
        for field in ["name", "price", "extra", "more", "count"] {
            assert!(named.contains(&field.to_owned()), "{field} in {named:?}");
        }
        assert_eq!(named.len(), 5);
    }

    #[test]
    fn faults_inside_a_list_are_named_by_their_place() {
        let named =
            fields(r#"{"name":"x","price":1,"count":1,"lines":[{"product":1},{"product":"a"},{"products":3}]}"#);
        assert_eq!(named, ["lines[1].product", "lines[2].products", "lines[2].product"]);
    }

    #[test]
    fn what_is_no_object_is_told_so() {
        assert_eq!(fields("[1]"), ["body"]);
        assert_eq!(read_body::<Body>(b"{").unwrap_err().status(), 400);
        assert_eq!(read_body::<Body>(b"").unwrap_err().status(), 400);
    }
}
