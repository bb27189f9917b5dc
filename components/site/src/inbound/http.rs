//! The routes.

mod documents;
mod health;

use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, header};
use kit::serve;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page;

/// What does not change while a version of this component runs may be kept for a minute.
const MINUTE: HeaderValue = HeaderValue::from_static("public, max-age=60");

thread_local! {
    /// The routes, made once for all requests of an instance.
    static ROUTER: Router = serve::limited(api().split_for_parts().0);
}

/// Answers one request.
pub async fn answer(request: spin_sdk::http::Request) -> Response {
    serve::serve(ROUTER.with(Router::clone), request).await
}

/// The OpenAPI document of what belongs to no service, as it is committed.
pub fn document() -> String {
    kit::openapi::document(&api().into_openapi())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Site",
        description = "What belongs to no service.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "health", description = "Whether the shop is well."),
        (name = "documents", description = "What the shop is and how to use it.")
    )
)]
struct Document;

fn api() -> OpenApiRouter {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(front))
        .routes(routes!(documents::docs))
        .routes(routes!(documents::docs_file))
        .routes(routes!(documents::openapi))
        .routes(routes!(documents::asyncapi))
        .routes(routes!(documents::schemas))
        .routes(routes!(documents::schema))
        .routes(routes!(health::health))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
}

/// Read what this is
#[utoipa::path(
    get, path = "/", tag = "documents", operation_id = "getFrontPage",
    responses((status = 200, description = "A page with links.", body = String, content_type = "text/html"))
)]
async fn front() -> Response {
    const POLICY: &str =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    (
        [(header::CACHE_CONTROL, MINUTE), (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))],
        Html(page::front()),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::inbound::file;

    #[test]
    fn the_committed_document_says_what_the_code_does() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        assert_eq!(kit::openapi::compare(path, &document()), Ok(()));
    }

    fn served(path: &str) -> String {
        String::from_utf8(file::find(path).unwrap().content().unwrap()).unwrap()
    }

    #[test]
    fn the_document_describes_every_service() {
        let document: Value = serde_json::from_str(&served("/openapi.json")).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        for path in ["/", "/api/v1/users", "/api/v1/products", "/api/v1/orders", "/api/v1/payments/{id}/confirm"] {
            assert!(document["paths"][path].is_object(), "{path}");
        }
        assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
        let tags = document["tags"].as_array().unwrap();
        for service in ["users", "sessions", "products", "orders", "payments", "health"] {
            assert!(tags.iter().any(|tag| tag["name"] == service), "{service}");
        }
    }

    #[test]
    fn every_reference_of_every_document_leads_somewhere() {
        let schemas: Vec<String> = serde_json::from_str(&served("/schemas")).unwrap();
        let schemas = schemas.iter().map(|name| format!("/schemas/{name}"));
        for path in ["/openapi.json", "/asyncapi.json"].into_iter().map(str::to_owned).chain(schemas) {
            let text = served(&path);
            let document: Value = serde_json::from_str(&text).unwrap();
            for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(document.pointer(reference).is_some(), "{path}: {reference}");
            }
        }
    }

    #[test]
    fn the_pages_need_nothing_from_elsewhere() {
        for page in [page::front(), served("/docs"), served("/docs/start.js")] {
            assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("src=\"//"), "{page}");
        }
    }
}
