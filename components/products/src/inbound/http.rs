//! HTTP: a request becomes a use case, its outcome an answer.

use axum::Router;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

mod body;
mod catalogue;
mod stock;

#[derive(OpenApi)]
#[openapi(
    info(title = "Products", description = "The catalogue and its stock.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    tags((name = "products", description = "The catalogue and its stock."))
)]
struct Description;

/// The routes of the service.
pub fn router() -> Router {
    kit::serve::limited(described().split_for_parts().0)
}

/// The OpenAPI document of the service, as it is committed in `openapi.json`.
pub fn document() -> String {
    kit::openapi::document(&described().into_openapi())
}

fn described() -> OpenApiRouter {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(catalogue::list, catalogue::create))
        .routes(routes!(catalogue::get, catalogue::change, catalogue::archive))
        .routes(routes!(stock::adjust))
        .routes(routes!(stock::movements))
}

#[cfg(target_family = "wasm")]
mod entry {
    use axum::Router;
    use spin_sdk::{
        http::{IntoResponse, Request},
        http_service,
    };

    use crate::bindings::Component;

    thread_local! {
        static ROUTER: Router = super::router();
    }

    #[http_service]
    async fn handle(request: Request) -> impl IntoResponse {
        let answer = kit::internal::serve::<Component, _>(ROUTER.with(Router::clone), request).await;
        Ok::<_, std::convert::Infallible>(answer)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_description_says_what_the_code_does() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        assert_eq!(kit::openapi::compare(path, &super::document()), Ok(()));
    }
}
