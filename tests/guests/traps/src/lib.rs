//! Fails in the ways a component can: `/panic`, `/unreachable`. `/ok` does not, nor does `/slow-ok?ms=N`, which waits.

use std::time::Duration;

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service, time,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    match request.uri().path().rsplit('/').next() {
        Some("panic") => panic!("the test asked for a panic"),
        Some("unreachable") => core::arch::wasm32::unreachable(),
        Some("slow-ok") => {
            let query = request.uri().query().unwrap_or_default();
            let wait_ms = query.strip_prefix("ms=").unwrap_or("100").parse()?;
            time::sleep(Duration::from_millis(wait_ms)).await;
            Ok("slow ok")
        }
        _ => Ok("ok"),
    }
}
