//! `/internal/payment-sandbox/…`: the provider, for those who reach it over HTTP.

use spin_sdk::http::{IntoResponse, Request};

use crate::bindings::Component;
use crate::bindings::exports::shop::payments::provider::Guest;

kit::provider!("payment-sandbox": Component as Guest);

/// Answers one request.
pub async fn answer(request: Request) -> impl IntoResponse {
    kit::internal::serve_alone::<Component, _>(request).await
}
