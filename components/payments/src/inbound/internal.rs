//! `/internal/payments/…`: readiness, events and the clock, for those who reach them over HTTP.

use axum::response::Response;
use kit::internal::{Call, Internal, NoArguments, nothing_here};
use kit::{Problem, deliver};

use crate::bindings::Component;
use crate::bindings::exports::plaza::schedule::task;
use crate::bindings::exports::shop::payments::readiness::Guest as Readiness;

impl Internal for Component {
    const COMPONENT: &'static str = "payments";

    async fn answer(call: Call) -> Result<Response, Problem> {
        match call.function() {
            "readiness/check" => call.run(async |[]: NoArguments| <Self as Readiness>::check().await).await,
            "readiness/check-provider" => {
                call.run(async |[]: NoArguments| <Self as Readiness>::check_provider().await).await
            }
            "events" => {
                call.deliver(async |event| deliver!(event, Self, crate::bindings::exports::plaza::events::subscriber))
                    .await
            }
            "tick" => call.tick(<Self as task::Guest>::tick).await,
            _ => Ok(nothing_here()),
        }
    }
}
