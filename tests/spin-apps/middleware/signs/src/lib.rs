//! Middleware that adds `signs` to the request's header `x-passed`, and to the answer `x-tone`: the variable `tone`, or that it is denied.

#![cfg(target_family = "wasm")]

use spin_sdk::{
    http::{self, HeaderValue, IntoResponse, Request, Response},
    http_service, variables,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let (mut head, body) = request.into_parts();
    let before = head.headers.get("x-passed").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let passed = before.map_or_else(|| "signs".to_owned(), |before| format!("{before}, signs"));
    head.headers.insert("x-passed", HeaderValue::from_str(&passed)?);
    let (mut head, body) = http::next(Request::from_parts(head, body)).await?.into_parts();
    let tone = variables::get("tone").await.unwrap_or_else(|_| "denied".to_owned());
    head.headers.insert("x-tone", HeaderValue::from_str(&tone)?);
    Ok(Response::from_parts(head, body))
}
