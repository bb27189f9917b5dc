//! Whether the shop is well.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kit::problem::Kind;
use kit::{Fault, Problem, refusals};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::outbound::shop::{self, Check, Wellbeing};

const NOT_READY: Kind =
    Kind::plain(StatusCode::SERVICE_UNAVAILABLE, "A part of the shop does not answer; `errors` names which.");

refusals! {
    /// Why the shop is not ready.
    ReadyRefusals: NOT_READY
}

/// All is well.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"status": "ok"})))]
pub struct Health {
    #[schema(pattern = "^ok$")]
    status: &'static str,
}

/// Everybody answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({"status": "ok", "checks": {"users": "ok", "products": "ok", "events": "ok"}})))]
pub struct Readiness {
    /// `degraded` while events are late: orders are taken, and what follows from them comes once it can.
    #[schema(pattern = "^(ok|degraded)$")]
    status: &'static str,
    /// Who was asked, and whether `events` are late.
    #[schema(value_type = BTreeMap<String, String>)]
    checks: BTreeMap<&'static str, &'static str>,
}

/// Ask whether all is well
#[utoipa::path(
    get, path = "/health", tag = "health", operation_id = "getHealth",
    responses((status = 200, description = "It is.", body = Health))
)]
pub async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Ask whether this component answers
#[utoipa::path(
    get, path = "/health/live", tag = "health", operation_id = "getLiveness",
    responses((status = 200, description = "It does.", body = Health))
)]
pub async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Ask whether everybody answers
///
/// The services, their databases and the payment provider. Events that are late make the shop degraded, not unready.
#[utoipa::path(
    get, path = "/health/ready", tag = "health", operation_id = "getReadiness",
    responses((status = 200, description = "They do.", body = Readiness), ReadyRefusals)
)]
pub async fn ready() -> Response {
    let Wellbeing { checks, events_flow } = kit::local(shop::wellbeing()).await;
    readiness(&checks, events_flow)
}

fn readiness(checks: &[Check], events_flow: bool) -> Response {
    let down: Vec<&str> = checks.iter().filter(|check| !check.answers).map(|check| check.name).collect();
    if down.is_empty() {
        let (status, events) = if events_flow { ("ok", "ok") } else { ("degraded", "late") };
        let checks = checks.iter().map(|check| (check.name, "ok")).chain([("events", events)]).collect();
        return Json(Readiness { status, checks }).into_response();
    }
    let faults = down.iter().map(|name| Fault { field: (*name).to_owned(), detail: "does not answer".to_owned() });
    let faults = faults.collect();
    Problem::unavailable(format!("These do not answer: {}.", down.join(", ")), 1).with_errors(faults).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_names_who_is_down() {
        let up = Check { name: "users", answers: true };
        let down = Check { name: "products", answers: false };
        assert_eq!(readiness(&[up], true).status(), 200);
        assert_eq!(readiness(&[up], false).status(), 200, "late events are no reason to send nobody here");
        assert_eq!(readiness(&[up, down], true).status(), 503);
    }
}
