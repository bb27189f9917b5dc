//! `/internal/notifications/…`: events and the clock, for those who reach them over HTTP.

use axum::response::Response;
use kit::internal::{Call, Internal, nothing_here};
use kit::{Problem, deliver};

use crate::bindings::Component;
use crate::bindings::exports::plaza::schedule::task;

impl Internal for Component {
    const COMPONENT: &'static str = "notifications";

    async fn answer(call: Call) -> Result<Response, Problem> {
        match call.function() {
            "events" => {
                call.deliver(async |event| deliver!(event, Self, crate::bindings::exports::plaza::events::subscriber))
                    .await
            }
            "tick" => call.tick(<Self as task::Guest>::tick).await,
            _ => Ok(nothing_here()),
        }
    }
}
