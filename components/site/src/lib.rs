//! What belongs to no service.
//!
//! | route | what |
//! |---|---|
//! | `GET /` | a page that says what this is |
//! | `GET /docs` | a page to read and try the operations, with its files below it |
//! | `GET /openapi.json` | the services' OpenAPI documents as one |
//! | `GET /asyncapi.json` | their AsyncAPI documents as one |
//! | `GET /schemas` | the JSON Schemas of bodies and events, one by one below it |
//! | `GET /health` | `{"status":"ok"}` |
//! | `GET /health/live` | the same: this component answers |
//! | `GET /health/ready` | whether those answer whom the shop is made of; 503 names who does not |

mod bindings;
pub mod inbound;
pub mod outbound;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    inbound::http::answer(request).await
}
