//! What `hello` is replaced by: says `newer` wherever it is asked, `/slow?ms=N` after a while; `/hello/worse` is answered
//! with 500.

#![cfg(target_family = "wasm")]

use std::time::Duration;

use spin_sdk::{
    http::{IntoResponse, Request, StatusCode},
    http_service, time,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let status = match request.uri().path().rsplit('/').next() {
        Some("slow") => {
            let query = request.uri().query().unwrap_or_default();
            let ms = query.split_once('=').map_or("0", |(_, value)| value).parse()?;
            time::sleep(Duration::from_millis(ms)).await;
            StatusCode::OK
        }
        Some("worse") => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::OK,
    };
    Ok((status, "newer".to_owned()))
}
