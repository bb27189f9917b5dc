//! Inputs: a body, path or query becomes a domain type, or a problem that lists every wrong field.

mod fields;
mod json;
mod listing;
mod path;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    response::IntoResponse,
};
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub use fields::Unchecked;
pub use listing::{Everything, ListInput, Listing};
pub use path::{Id, IdPath, Named, number_from_1};

use crate::{Faults, Problem, problem::kinds};
use fields::{Unknown, read_fields};

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

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Unchecked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = json_bytes(request, state).await?;
        let (fields, faults) = json_object(&bytes)?;
        Ok(read_fields(fields, Unknown::Refused).noting(faults))
    }
}

async fn json_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        return Err(Problem::new(kinds::NOT_JSON, "The body must be JSON: send `Content-Type: application/json`."));
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
    let (fields, faults) = json_object(bytes)?;
    read_fields(fields, Unknown::Refused).noting(faults).check(T::check)
}

/// The object's fields, and what is wrong with the text however it is read.
fn json_object(bytes: &[u8]) -> Result<(Map<String, Value>, Faults), Problem> {
    let mut faults = Faults::new();
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => {
            json::look_over(bytes, &mut faults).map_err(no_json)?;
            Ok((fields, faults))
        }
        Ok(_) => {
            faults.add("body", "must be a JSON object");
            Err(Problem::invalid(faults))
        }
        Err(error) => Err(no_json(error)),
    }
}

fn no_json(error: serde_json::Error) -> Problem {
    let detail =
        format!("The body is no JSON, or nested too deeply (line {}, column {}).", error.line(), error.column());
    Problem::new(kinds::NO_JSON, detail)
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
    fn what_stands_in_the_place_of_a_line_is_one_fault_and_hides_no_other() {
        let named = fields(r#"{"name":5,"price":1,"count":1,"lines":[7,{"product":"a"},null]}"#);
        assert_eq!(named, ["lines[0]", "lines[1].product", "lines[2]", "name"]);
    }

    #[test]
    fn what_stands_twice_and_what_no_text_has_is_told_of_beside_everything_else() {
        let named = fields(r#"{"name":"a\u0000","price":"x","count":1,"count":2,"lines":[{"product":1,"product":2}]}"#);
        assert_eq!(named, ["name", "count", "lines[0].product", "price"]);
    }

    #[test]
    fn a_list_of_the_wrong_kind_is_one_fault() {
        #[derive(Deserialize)]
        struct Numbers {
            list: Option<Vec<i64>>,
            name: Option<String>,
        }
        let (body, _) = json_object(br#"{"list":["a",1],"name":3}"#).unwrap();
        let read = read_fields::<Numbers>(body, Unknown::Refused);
        let problem = read.check(|raw, _| raw.list.map(|_| raw.name)).unwrap_err();
        assert_eq!(problem.detail(), "Wrong or missing: list[0], name.");
    }

    #[test]
    fn a_check_that_knows_more_adds_to_what_could_not_be_read() {
        let (body, _) = json_object(br#"{"name":5,"count":1,"extra":1}"#).unwrap();
        let read = read_fields::<Body>(body, Unknown::Refused);
        let problem = read
            .check(|raw, faults| {
                faults.add("count", "must be even");
                raw.check(faults)
            })
            .unwrap_err();
        assert_eq!(problem.detail(), "Wrong or missing: extra, name, count, price.");
    }

    #[test]
    fn what_is_no_object_is_told_so() {
        assert_eq!(fields("[1]"), ["body"]);
        assert_eq!(read_body::<Body>(b"{").unwrap_err().status(), 400);
        assert_eq!(read_body::<Body>(b"").unwrap_err().status(), 400);
    }
}
