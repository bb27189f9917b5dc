//! Fails in the ways a component can: `/panic`, `/unreachable`. `/ok` does not, nor does `/slow-ok?ms=N`, which waits.

#![cfg(target_family = "wasm")]

use std::time::Duration;

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service, time,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    match request.uri().path().rsplit('/').next() {
        Some("panic") => fall_over(),
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

/// Not inlined, so that its name stands in the backtrace.
#[inline(never)]
fn fall_over() -> ! {
    panic!("the test asked for a panic")
}
