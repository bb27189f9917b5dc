//! What is stored with a key, to be repeated word for word.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::Problem;

/// An answer as it is stored, and given again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers such as Location and ETag, lower-case.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: String,
    /// Set on an answer that was given before.
    #[serde(skip)]
    pub replayed: bool,
}

impl Answer {
    /// A JSON answer.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self {
            status: status.as_u16(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: serde_json::to_string(body).unwrap_or_default(),
            replayed: false,
        }
    }

    /// A problem as an answer to be stored: a refusal by the rules is as final as a success.
    pub fn problem(problem: &Problem) -> Self {
        Self {
            status: problem.status().as_u16(),
            headers: vec![("content-type".to_owned(), crate::problem::PROBLEM_JSON.to_owned())],
            body: problem.body(),
            replayed: false,
        }
    }

    /// The same answer with one more header.
    pub fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name.as_str().to_owned(), value.into()));
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (status, self.body).into_response();
        response.headers_mut().remove(header::CONTENT_TYPE);
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                response.headers_mut().append(name, value);
            }
        }
        if self.replayed {
            let yes = HeaderValue::from_static("true");
            response.headers_mut().insert("idempotent-replayed", yes);
        }
        // Stored answers stand as they are: the first one and its repetitions must not differ.
        response.extensions_mut().insert(crate::serve::Finished);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_answer_comes_back_as_it_was() {
        let answer = Answer::json(StatusCode::CREATED, &serde_json::json!({"total": 1}))
            .with_header(header::LOCATION, "/api/v1/orders/1");
        let stored = serde_json::to_value(&answer).unwrap();
        let again: Answer = serde_json::from_value(stored).unwrap();
        assert_eq!(again, answer);
    }
}
