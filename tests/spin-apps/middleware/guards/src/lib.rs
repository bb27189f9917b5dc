//! Middleware that answers what ends with `/closed` by itself, with 403, and adds `guards` to the header `x-passed` of what it hands on.

#![cfg(target_family = "wasm")]

use spin_sdk::{
    http::{self, FullBody, HeaderValue, IntoResponse, Request, Response, StatusCode},
    http_service, wasip3,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    if request.uri().path().ends_with("/closed") {
        return Ok(Answer::Closed);
    }
    let (mut head, body) = request.into_parts();
    let before = head.headers.get("x-passed").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let passed = before.map_or_else(|| "guards".to_owned(), |before| format!("{before}, guards"));
    head.headers.insert("x-passed", HeaderValue::from_str(&passed)?);
    Ok(Answer::HandedOn(http::next(Request::from_parts(head, body)).await?))
}

enum Answer {
    Closed,
    HandedOn(Response),
}

impl IntoResponse for Answer {
    fn into_response(self) -> Result<wasip3::http::types::Response, wasip3::http::types::ErrorCode> {
        match self {
            Self::Closed => (StatusCode::FORBIDDEN, FullBody::new(&b"closed"[..])).into_response(),
            Self::HandedOn(response) => response.into_response(),
        }
    }
}
