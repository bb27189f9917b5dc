//! The routes.

use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, header};
use kit::{Fault, Problem, serve};
use serde_json::{Value, json};

use super::page;
use crate::outbound::shop::{self, Check};

/// The services' documents, merged when this component was built.
const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
/// What does not change while a version of this component runs may be kept for a minute.
const MINUTE: HeaderValue = HeaderValue::from_static("public, max-age=60");

thread_local! {
    /// The routes, made once for all requests of an instance.
    static ROUTER: Router = serve::limited(router());
}

/// Answers one request.
pub async fn answer(request: spin_sdk::http::Request) -> Response {
    serve::serve(ROUTER.with(Router::clone), request).await
}

fn router() -> Router {
    Router::new()
        .route("/", get(async || kept(Html(page::front()))))
        .route("/docs", get(async || kept(Html(page::docs()))))
        .route("/openapi.json", get(openapi))
        .route("/health", get(async || Json(ok())))
        .route("/health/live", get(async || Json(ok())))
        .route("/health/ready", get(ready))
}

async fn openapi() -> Response {
    kept(([(header::CONTENT_TYPE, "application/json")], OPENAPI))
}

/// 200 when everybody answers, else 503 that names who does not.
async fn ready() -> Response {
    readiness(&kit::local(shop::checks()).await)
}

fn readiness(checks: &[Check]) -> Response {
    let down: Vec<&str> = checks.iter().filter(|check| !check.answers).map(|check| check.name).collect();
    if down.is_empty() {
        let states = checks.iter().map(|check| (check.name.to_owned(), "ok".into()));
        let states: serde_json::Map<String, Value> = states.collect();
        return Json(json!({ "status": "ok", "checks": states })).into_response();
    }
    let faults = down.iter().map(|name| Fault { field: (*name).to_owned(), detail: "does not answer".to_owned() });
    let faults = faults.collect();
    Problem::unavailable(format!("These do not answer: {}.", down.join(", ")), 1).with_errors(faults).into_response()
}

fn ok() -> Value {
    json!({ "status": "ok" })
}

fn kept(content: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, MINUTE)], content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_describes_every_service() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        for path in ["/api/v1/users", "/api/v1/products", "/api/v1/orders", "/api/v1/payments/{id}/confirm"] {
            assert!(document["paths"][path].is_object(), "{path}");
        }
        assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
        let tags = document["tags"].as_array().unwrap();
        for service in ["users", "products", "orders", "payments"] {
            assert!(tags.iter().any(|tag| tag["name"] == service), "{service}");
        }
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let references = OPENAPI.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next());
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }

    #[test]
    fn the_pages_need_nothing_from_elsewhere() {
        for page in [page::front(), page::docs()] {
            assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"));
        }
        assert!(page::docs().contains("/api/v1/orders/{id}/cancel"));
    }

    #[test]
    fn readiness_names_who_is_down() {
        let up = Check { name: "users", answers: true };
        let down = Check { name: "products", answers: false };
        assert_eq!(readiness(&[up]).status(), 200);
        assert_eq!(readiness(&[up, down]).status(), 503);
    }
}
