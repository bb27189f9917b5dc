//! Orders: placed with a reservation, paid by an event, cancelled with everything that follows.
//!
//! | route | who | what |
//! |---|---|---|
//! | `POST /api/v1/orders` | customer | places an order; `Idempotency-Key` required |
//! | `GET /api/v1/orders` | customer, admin | own orders, or all; `status`, `limit`, `cursor` |
//! | `GET /api/v1/orders/{id}` | owner, admin | one order |
//! | `GET /api/v1/orders/{id}/history` | owner, admin | the way it went |
//! | `POST /api/v1/orders/{id}/cancel` | owner, admin | ends it, while it is pending or paid |
//! | `POST /api/v1/orders/{id}/ship` | admin | hands it to a carrier |
//! | `POST /api/v1/orders/{id}/deliver` | admin | it arrived |
//!
//! It hears `PAYMENT_SUCCEEDED` and `PAYMENT_FAILED` on `payment-events`, tells of every change on `order-events`, and
//! cancels by the clock what nobody paid.

mod bindings;
pub mod domain;
pub mod inbound;
pub mod outbound;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    inbound::http::answer(request).await
}
