//! The interfaces by which the shop's services know one another, over HTTP: for services on another machine or in another
//! application, and for a runtime that does not link components.
//!
//! | interface | asks | at the variable |
//! |---|---|---|
//! | `shop:users/directory` | `users` | `users_base_url` |
//! | `shop:products/inventory` | `products` | `products_base_url` |
//! | `shop:orders/readiness` | `orders` | `orders_base_url` |
//! | `shop:payments/readiness` | `payments` | `payments_base_url` |
//! | `shop:payments/provider` | the component that `payment_provider` names | `payment_provider_base_url` |
//!
//! A base address is scheme, host and port; without one it is `http://<component>.spin.internal`, the component of the same
//! application. Each call is a request to `/internal/<component>/…` with the variable `service_token`.
//!
//! Where it is composed into a service, it runs with the variables and grants of that service: it declares no name that could mean
//! something else there.

mod bindings;
pub mod domain;
pub mod inbound;
pub mod outbound;
