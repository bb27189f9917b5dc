//! A payment provider for trying things out: it moves no money, but remembers each key like one that does.
//!
//! | token | what happens |
//! |---|---|
//! | `tok_ok` | it succeeds |
//! | `tok_declined` | it is declined for good |
//! | `tok_timeout` | it succeeds, but the answer comes after the caller's patience has ended |
//! | `tok_flaky` | it fails twice, then succeeds |
//! | `tok_3ds` | the customer must act; a webhook says how it ended |
//!
//! It exports `shop:payments/provider`, also over HTTP ([`inbound::internal`]). A webhook is signed with the variable `sandbox_webhook_secret`:
//! `webhook-signature` is the hexadecimal HMAC-SHA-256 over `<webhook-timestamp>.<body>`, and the body is
//! `{"id": …, "key": …, "outcome": "succeeded" | "declined"}`.

mod bindings;
pub mod domain;
pub mod inbound;
pub mod outbound;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    inbound::internal::answer(request).await
}
