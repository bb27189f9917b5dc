//! Waits for ever.

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service, time,
};

#[http_service]
async fn handle(_request: Request) -> anyhow::Result<impl IntoResponse> {
    loop {
        time::sleep(std::time::Duration::from_secs(3600)).await;
    }
    #[expect(unreachable_code, reason = "gives the function its type")]
    Ok("never")
}
