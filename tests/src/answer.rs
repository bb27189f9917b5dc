//! An HTTP answer and what a test asks of it.

use bytes::Bytes;
use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderName},
};
use serde_json::Value;

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status as a number.
    pub status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self { status: status.as_u16(), headers, body }
    }

    /// Fails the test, showing the body, when the status is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the body says: {}", self.text());
        self
    }

    /// The names of all headers, in the order of the alphabet.
    pub fn header_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The value of a header, empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The body of an error, after checking that it has RFC 9457's form and betrays nothing of the inside.
    #[track_caller]
    pub fn problem(self, status: u16) -> Value {
        let answer = self.expect(status);
        let kind = answer.header("content-type");
        assert!(kind.starts_with("application/problem+json"), "{kind:?} carries {}", answer.text());
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{problem}");
        for member in ["type", "title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "no {member} in {problem}");
        }
        let text = answer.text().to_lowercase();
        for inside in ["select ", "insert into", "sqlx", "wasm backtrace", "panicked", "postgres://"] {
            assert!(!text.contains(inside), "{inside:?} is nobody's business: {problem}");
        }
        problem
    }

    /// The names of the fields that a 422 lists, sorted.
    #[track_caller]
    pub fn invalid_fields(self) -> Vec<String> {
        let problem = self.problem(422);
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("no errors in {problem}"));
        let mut fields: Vec<String> =
            errors.iter().map(|error| error["field"].as_str().expect("a field").to_owned()).collect();
        fields.sort();
        fields.dedup();
        fields
    }
}
