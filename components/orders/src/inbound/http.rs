//! The orders over HTTP: a request becomes a use case, its result an answer.

mod body;
mod change;
mod place;
mod read;

use axum::Router;
use axum::response::Response;
use http::StatusCode;
use kit::problem::Kind;
use kit::{Problem, internal, serve};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use body::OrderBody;

use crate::bindings::Component;
use crate::domain::change::ChangeError;

thread_local! {
    /// The routes, made once for all requests of an instance.
    static ROUTER: Router = serve::limited(api().split_for_parts().0);
}

/// Answers one request.
pub async fn answer(request: spin_sdk::http::Request) -> Response {
    internal::serve::<Component, _>(ROUTER.with(Router::clone), request).await
}

/// The OpenAPI document of the orders, as it is committed.
pub fn document() -> String {
    kit::openapi::document(&api().into_openapi())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Orders",
        description = "Orders, from pending to delivered or cancelled.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags((name = "orders", description = "Orders, from pending to delivered or cancelled."))
)]
struct Document;

fn api() -> OpenApiRouter {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(place::place_order, read::list_orders))
        .routes(routes!(read::get_order))
        .routes(routes!(read::get_history))
        .routes(routes!(change::cancel_order))
        .routes(routes!(change::ship_order))
        .routes(routes!(change::deliver_order))
}

/// The order stands where this cannot be done any more, or not yet.
const ORDER_STATUS: Kind = Kind::named(
    StatusCode::CONFLICT,
    "order-status",
    "The order stands where this cannot be done any more, or not yet.",
);

/// The answer for an order that does not exist, or is another's.
fn no_such_order() -> Problem {
    Problem::not_found("There is no such order.")
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound => no_such_order(),
            ChangeError::Illegal { from, to } => {
                let detail = format!("The order is {}, so it cannot become {} any more.", from.word(), to.word());
                Problem::new(ORDER_STATUS, detail)
            }
            ChangeError::Contended => Problem::unavailable("The order keeps changing. Please try again.", 1),
            ChangeError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_document_says_what_the_code_does() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        kit::openapi::compare(path, &super::document()).unwrap();
    }
}
