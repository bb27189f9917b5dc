//! Answers the text of the file `?path=…`, or the error. With `/write` it tries to write the file instead.

use std::fs;

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let path = request.uri().query().unwrap_or_default().strip_prefix("path=").unwrap_or_default();
    let result = match request.uri().path().rsplit('/').next() {
        Some("write") => fs::write(path, "written by a guest").map(|()| "written".to_owned()),
        _ => fs::read_to_string(path),
    };
    Ok(result.unwrap_or_else(|error| format!("error {error}")))
}
