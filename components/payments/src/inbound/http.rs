//! The payments over HTTP: a request becomes a use case, its result an answer.

mod body;
mod card_free;
mod confirm;
mod read;
mod refund;
mod webhook;

use axum::Router;
use axum::response::Response;
use http::StatusCode;
use kit::problem::Kind;
use kit::{Problem, internal, serve};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::bindings::Component;

/// How long one request with an idempotency key may take: as long as the host lets a request to this component run, and
/// a little more.
const LEASE_SECONDS: i64 = 12;

thread_local! {
    /// The routes, made once for all requests of an instance.
    static ROUTER: Router = serve::limited(api().split_for_parts().0);
}

/// Answers one request.
pub async fn answer(request: spin_sdk::http::Request) -> Response {
    internal::serve::<Component, _>(ROUTER.with(Router::clone), request).await
}

/// The OpenAPI document of the payments, as it is committed.
pub fn document() -> String {
    kit::openapi::document(&api().into_openapi())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Payments",
        description = "Payments, their attempts and refunds.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags((name = "payments", description = "Payments, their attempts and refunds."))
)]
struct Document;

fn api() -> OpenApiRouter {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(read::list_payments))
        .routes(routes!(read::get_payment))
        .routes(routes!(confirm::confirm_payment))
        .routes(routes!(refund::refund_payment))
        .routes(routes!(webhook::take_webhook))
}

/// The payment stands where this cannot be done.
const PAYMENT_STATUS: Kind = Kind::named(
    StatusCode::CONFLICT,
    "payment-status",
    "The payment stands where this cannot be done: under way, made, given up, or not made yet.",
);

/// The answer for a payment that does not exist, or is another's.
fn no_such_payment() -> Problem {
    Problem::not_found("There is no such payment.")
}

/// The answer when others change the payment all the time.
fn contended() -> Problem {
    Problem::unavailable("The payment keeps changing. Please repeat with the same key.", 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_document_says_what_the_code_does() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        kit::openapi::compare(path, &super::document()).unwrap();
    }
}
