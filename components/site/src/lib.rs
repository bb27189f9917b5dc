//! What belongs to no service.
//!
//! | route | what |
//! |---|---|
//! | `GET /` | a page that says what this is |
//! | `GET /docs` | a page that lists the operations |
//! | `GET /openapi.json` | the services' documents as one |
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
