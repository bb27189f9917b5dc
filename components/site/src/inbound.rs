//! HTTP: pages and documents.

use axum::{
    Json, Router,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use serde_json::json;

use crate::domain::{self, Sign};

const PAGE: &str = include_str!("page.html");
const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
/// Seconds after which somebody who was told that something is down may ask again.
const RETRY_AFTER_SECONDS: u32 = 5;

/// The routes of the component.
pub fn router() -> Router {
    kit::serve::limited(
        Router::new()
            .route("/", get(|| async { Html(PAGE) }))
            .route("/health", get(live))
            .route("/health/live", get(live))
            .route("/health/ready", get(ready))
            .route("/openapi.json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], OPENAPI) })),
    )
}

async fn live() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok" }))
}

async fn ready() -> Response {
    answer(&signs().await)
}

fn answer(signs: &[Sign]) -> Response {
    let down = domain::down(signs);
    if down.is_empty() {
        return Json(json!({ "status": "ok" })).into_response();
    }
    let mut response =
        kit::Problem::of(StatusCode::SERVICE_UNAVAILABLE, format!("Down: {}.", down.join(", "))).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
    response
}

#[cfg(target_family = "wasm")]
async fn signs() -> Vec<Sign> {
    kit::local(crate::outbound::signs()).await
}

/// Natively there are no services to ask.
#[cfg(not(target_family = "wasm"))]
async fn signs() -> Vec<Sign> {
    Vec::new()
}

#[cfg(target_family = "wasm")]
mod entry {
    use axum::Router;
    use spin_sdk::{
        http::{IntoResponse, Request},
        http_service,
    };

    thread_local! {
        static ROUTER: Router = super::router();
    }

    #[http_service]
    async fn handle(request: Request) -> impl IntoResponse {
        Ok::<_, std::convert::Infallible>(kit::serve::serve(ROUTER.with(Router::clone), request).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_openapi_3_1_and_names_all_four_services() {
        let document: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        for path in ["/api/v1/users", "/api/v1/products", "/api/v1/orders", "/api/v1/payments"] {
            assert!(document["paths"][path].is_object(), "{path}");
        }
    }

    #[test]
    fn what_is_down_is_named_with_a_503() {
        let response = answer(&[Sign { service: "users", is_well: false }]);
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
    }
}
