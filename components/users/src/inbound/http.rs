//! HTTP: a request becomes a use case, its outcome an answer.

use axum::Router;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

mod accounts;
mod body;
mod client_address;
mod sessions;

#[derive(OpenApi)]
#[openapi(
    info(title = "Users", description = "Accounts, log-in and roles.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    tags(
        (name = "users", description = "Accounts, their roles and passwords."),
        (name = "sessions", description = "Logging in, staying so, logging out.")
    )
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
        .routes(routes!(accounts::register, accounts::list))
        .routes(routes!(accounts::get, accounts::change))
        .routes(routes!(sessions::change_password))
        .routes(routes!(sessions::log_in))
        .routes(routes!(sessions::refresh))
        .routes(routes!(sessions::log_out))
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
