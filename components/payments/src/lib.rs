//! Payments: opened by an order's event, made through a provider, given back when the order ends.
//!
//! | route | who | what |
//! |---|---|---|
//! | `GET /api/v1/payments` | customer, admin | own payments, or all; `orderId`, `limit`, `cursor` |
//! | `GET /api/v1/payments/{id}` | owner, admin | one payment |
//! | `POST /api/v1/payments/{id}/confirm` | owner | pays with a provider's token; `Idempotency-Key` required |
//! | `POST /api/v1/payments/{id}/refunds` | admin | gives money back; `Idempotency-Key` required |
//! | `POST /api/v1/payments/webhooks/{provider}` | provider | tells how something ended; signed |
//!
//! It hears `ORDER_CREATED` and `ORDER_CANCELLED` on `order-events`, tells how payments end on `payment-events`, and by
//! the clock settles lost answers and makes the refunds that were promised.

mod bindings;
pub mod domain;
pub mod inbound;
pub mod outbound;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    inbound::http::answer(request).await
}
