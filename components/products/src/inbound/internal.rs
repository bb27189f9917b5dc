//! `/internal/products/…`: the stock, events and the clock, for those who reach them over HTTP.

use axum::response::Response;
use kit::{
    Problem, deliver,
    internal::{Call, Internal, nothing_here},
};

use crate::bindings::{
    Component,
    exports::{plaza::schedule::task, shop::products::inventory::Guest as Inventory},
};

impl Internal for Component {
    const COMPONENT: &'static str = "products";

    async fn answer(call: Call) -> Result<Response, Problem> {
        match call.function() {
            "inventory/reserve" => {
                call.run(async |(reservation, lines, hold_seconds, trace)| {
                    <Self as Inventory>::reserve(reservation, lines, hold_seconds, trace).await
                })
                .await
            }
            "inventory/commit" => {
                call.run(async |(reservation, trace)| <Self as Inventory>::commit(reservation, trace).await).await
            }
            "inventory/undo" => call.run(async |(reservation,)| <Self as Inventory>::undo(reservation).await).await,
            "events" => {
                call.deliver(async |event| deliver!(event, Self, crate::bindings::exports::plaza::events::subscriber))
                    .await
            }
            "tick" => call.tick(<Self as task::Guest>::tick).await,
            _ => Ok(nothing_here()),
        }
    }
}
