//! The notifications over HTTP.

mod body;
mod read;

use axum::Router;
use axum::response::Response;
use kit::{internal, serve};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::bindings::Component;

thread_local! {
    /// The routes, made once for all requests of an instance.
    static ROUTER: Router = serve::limited(api().split_for_parts().0);
}

/// Answers one request.
pub async fn answer(request: spin_sdk::http::Request) -> Response {
    internal::serve::<Component, _>(ROUTER.with(Router::clone), request).await
}

/// The OpenAPI document of the notifications, as it is committed.
pub fn document() -> String {
    kit::openapi::document(&api().into_openapi())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Notifications",
        description = "What customers are told of their orders.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags((name = "notifications", description = "What customers are told of their orders."))
)]
struct Document;

fn api() -> OpenApiRouter {
    OpenApiRouter::with_openapi(Document::openapi()).routes(routes!(read::list_notifications))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_document_says_what_the_code_does() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        kit::openapi::compare(path, &super::document()).unwrap();
    }
}
