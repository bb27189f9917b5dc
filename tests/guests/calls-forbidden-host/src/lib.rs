//! Sends a GET to `?url=…` and answers the status it got, or the error.

use spin_sdk::{
    http::{self, IntoResponse, Request},
    http_service,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default();
    let url = query.strip_prefix("url=").unwrap_or("http://forbidden.example/");
    Ok(match http::get(url).await {
        Ok(response) => format!("status {}", response.status().as_u16()),
        Err(error) => format!("error {error:?}"),
    })
}
