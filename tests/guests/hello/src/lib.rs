//! Answers in the plain ways: `/` a text, `/echo` the request's body as it comes, `/length` how many bytes it has, `/headers` the request's headers as
//! JSON, `/stream?chunks=N` N lines one by one, `/print?line=…` prints the line and answers it, `/variable?name=…` a
//! variable's value or the error, `/commit?line=…` reads the body and prints the line and whether it was whole.

#![cfg(target_family = "wasm")]

use std::time::Duration;

use futures::SinkExt;
use spin_sdk::{
    http::{FullBody, IntoResponse, Request, StatusCode, body, body::IncomingBodyExt},
    http_service, time, variables, wasip3,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let path = request.uri().path().to_owned();
    Ok(match path.rsplit('/').next() {
        Some("echo") => Answer::Echo(request),
        Some("length") => Answer::Text(length(request).await?),
        Some("commit") => Answer::Text(commit(value(&query, "line"), request).await),
        Some("headers") => Answer::Text(headers(&request).to_string()),
        Some("stream") => Answer::Stream(value(&query, "chunks").parse()?),
        Some("print") => Answer::Text(print(value(&query, "line")).await),
        Some("variable") => Answer::Text(variable(value(&query, "name")).await),
        Some("" | "hello") => Answer::Text("hello".to_owned()),
        _ => Answer::NotFound,
    })
}

enum Answer {
    Text(String),
    Echo(Request),
    Stream(u32),
    NotFound,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Result<wasip3::http::types::Response, wasip3::http::types::ErrorCode> {
        match self {
            Self::Text(text) => text.into_response(),
            Self::Echo(request) => (StatusCode::OK, request.into_body()).into_response(),
            Self::Stream(chunks) => stream(chunks).into_response(),
            Self::NotFound => (StatusCode::NOT_FOUND, FullBody::new(&b"no such test"[..])).into_response(),
        }
    }
}

/// The request's headers as a JSON object; of a header that stands twice, the last.
fn headers(request: &Request) -> serde_json::Value {
    let text = |value: &spin_sdk::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// The answer begins when the body has ended, unlike that of `/echo`.
async fn length(request: Request) -> anyhow::Result<String> {
    let body = request.into_body().bytes().await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(format!("{} bytes", body.len()))
}

async fn commit(line: &str, request: Request) -> String {
    let outcome = if request.into_body().bytes().await.is_ok() { "committed" } else { "not committed" };
    println!("{line} {outcome}");
    outcome.to_owned()
}

fn stream(chunks: u32) -> impl IntoResponse {
    let (mut sender, body) = body::stream::<String>();
    wasip3::spawn(async move {
        for chunk in 0..chunks {
            if sender.send(format!("chunk {chunk}\n")).await.is_err() {
                break;
            }
        }
    });
    (StatusCode::OK, body)
}

/// Prints the line twice, and waits in between, so that requests in one instance print in turns.
async fn print(line: &str) -> String {
    println!("{line}");
    time::sleep(Duration::from_millis(1)).await;
    eprintln!("{line}");
    line.to_owned()
}

async fn variable(name: &str) -> String {
    variables::get(name).await.unwrap_or_else(|error| format!("error {error:?}"))
}

fn value<'a>(query: &'a str, name: &str) -> &'a str {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map_or("", |(_, value)| value)
}
