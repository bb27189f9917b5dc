//! Answers in the plain ways: `/` a text, `/echo` the request's body as it comes, `/headers` the request's headers as
//! JSON, `/stream?chunks=N` N lines one by one, `/print?line=…` prints the line and answers it.

use futures::SinkExt;
use spin_sdk::{
    http::{FullBody, IntoResponse, Request, StatusCode, body},
    http_service, wasip3,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let path = request.uri().path().to_owned();
    Ok(match path.rsplit('/').next() {
        Some("echo") => Answer::Echo(request),
        Some("headers") => Answer::Text(headers(&request).to_string()),
        Some("stream") => Answer::Stream(value(&query, "chunks").parse()?),
        Some("print") => Answer::Text(print(value(&query, "line"))),
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

fn print(line: &str) -> String {
    println!("{line}");
    eprintln!("{line}");
    line.to_owned()
}

fn value<'a>(query: &'a str, name: &str) -> &'a str {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map_or("", |(_, value)| value)
}
