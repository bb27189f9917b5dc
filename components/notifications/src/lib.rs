//! Notifications: what customers are told of their orders, kept instead of sent.
//!
//! | route | who | what |
//! |---|---|---|
//! | `GET /api/v1/notifications` | customer, admin | own notifications, or all; `orderId`, `limit`, `cursor` |
//!
//! It hears `order-events` and publishes nothing. It knows its customers by their numbers alone: what really sends would ask
//! `shop:users/directory` for an address at the moment of sending, and keep none.
//!
//! Nobody depends on it, so it is the example of what it takes to join the shop: see the README.

mod bindings;
pub mod domain;
pub mod inbound;
pub mod outbound;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    inbound::http::answer(request).await
}
