//! What belongs to no service: the front page, health, the description of the API.
//!
//! | route | who | answers |
//! |---|---|---|
//! | `GET /` | anyone | a page that says what this is |
//! | `GET /health`, `GET /health/live` | anyone | that this component runs |
//! | `GET /health/ready` | anyone | whether an order could be placed, or what is down |
//! | `GET /openapi.json` | anyone | the services' documents as one |

#[cfg(target_family = "wasm")]
mod bindings;
pub mod domain;
pub mod inbound;
#[cfg(target_family = "wasm")]
mod outbound;
