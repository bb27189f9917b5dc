//! The catalogue and its stock.
//!
//! | route | who | use case |
//! |---|---|---|
//! | `GET /api/v1/products` | anyone | the port [`domain::catalogue::Catalogue`] |
//! | `GET /api/v1/products/{id}` | anyone; archived ones: administrators | the port |
//! | `POST /api/v1/products` | administrators | the port |
//! | `PATCH`, `DELETE /api/v1/products/{id}` | administrators | the port |
//! | `POST /api/v1/products/{id}/stock` | administrators | the port [`domain::stock::Stock`] |
//! | `GET /api/v1/products/{id}/movements` | administrators | the port |
//!
//! Beside HTTP it exports `shop:products/inventory` ([`domain::reservation`]), takes in `order-events`, tells on
//! `product-events` of products that run out, and lets
//! reservations lapse by the clock. Whether who changes something is still an administrator it asks of `shop:users/directory`.

pub mod domain;
pub mod inbound;
pub mod outbound;

mod bindings;
