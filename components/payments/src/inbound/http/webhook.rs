//! `POST /api/v1/payments/webhooks/{provider}`.

use axum::body::Bytes;
use http::{HeaderMap, StatusCode};
use kit::input::Named;
use kit::problem::Kind;
use kit::{Problem, refusals};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::clock::take_in;
use crate::domain::ports::{Payments, Provider};
use crate::domain::refund::settle_refund;
use crate::outbound::World;
use crate::outbound::shop::{Notice, Webhook, read_webhook};

const REFUSED: Kind = Kind::plain(
    StatusCode::BAD_REQUEST,
    "It is unsigned, signed by somebody else, more than 300 s off, or no message of the provider.",
);
const UNKNOWN: Kind = Kind::plain(StatusCode::NOT_FOUND, "There is no such provider, or no such payment.");

refusals! {
    /// Why a webhook is not taken in.
    WebhookRefusals: REFUSED, UNKNOWN
}

/// What the sandbox tells.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"id": "evt_1", "key": "payment-5-1", "outcome": "succeeded"})))]
#[expect(dead_code, reason = "it is there to be described; the provider reads it")]
pub struct SandboxNotice {
    /// The message's id, the same when it is sent again.
    #[schema(pattern = "^[!-~]{1,255}$")]
    id: String,
    /// The key of the charge or refund that it speaks of.
    #[schema(pattern = "^[!-~]{1,255}$")]
    key: String,
    #[schema(inline)]
    outcome: SandboxOutcome,
}

/// How something that waited for the customer ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SandboxOutcome {
    /// The money moved.
    Succeeded,
    /// Refused for good.
    Declined,
}

/// Take in what a provider tells
///
/// Once its signature and age are found sound. A repetition has no effect. The sandbox signs with HMAC-SHA-256 over
/// `timestamp.body`, by a secret that only it and the shop know.
#[utoipa::path(
    post,
    path = "/api/v1/payments/webhooks/{provider}",
    tag = "payments",
    operation_id = "takeWebhook",
    params(
        ("provider" = String, Path, description = "The provider's name.", example = "sandbox"),
        (
            "Webhook-Timestamp" = Option<String>, Header, pattern = "^[0-9]{1,12}$",
            description = "When it was sent, in seconds since 1970. The sandbox's webhooks need it."
        ),
        (
            "Webhook-Signature" = Option<String>, Header, pattern = "^[0-9a-fA-F]{64}$",
            description = "The signature in hexadecimal. The sandbox's webhooks need it."
        )
    ),
    request_body(content = inline(SandboxNotice), description = "In the provider's own form; this is the sandbox's."),
    responses((status = 204, description = "Taken in."), WebhookRefusals)
)]
pub async fn take_webhook(Named(provider): Named, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Problem> {
    kit::local(take(provider, texts(&headers), body.to_vec())).await
}

async fn take(provider: String, headers: Vec<(String, String)>, body: Vec<u8>) -> Result<StatusCode, Problem> {
    let world = World::default();
    if world.name().await? != provider {
        return Err(Problem::new(UNKNOWN, "The shop has no such payment provider."));
    }
    let notice = match read_webhook(headers, body).await? {
        Webhook::Notice(notice) => notice,
        // Whoever sends it would only send it again.
        Webhook::OfNothing => return Ok(StatusCode::NO_CONTENT),
        Webhook::Unsound(how) => return Err(Problem::new(REFUSED, format!("The webhook is not accepted: {how}."))),
    };
    let cause = format!("webhook:{provider}:{}", notice.id);
    if !world.has_seen(&cause).await? {
        take_notice(&world, &notice, &cause).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn take_notice(world: &World, notice: &Notice, cause: &str) -> Result<(), Problem> {
    if let Some(attempt) = world.attempt_by_key(&notice.key).await? {
        return Ok(take_in(world, &attempt, &notice.outcome, Some(cause)).await?);
    }
    if let Some(refund) = world.refund_by_key(&notice.key).await? {
        return Ok(settle_refund(world, refund.id, &notice.outcome, Some(cause)).await?);
    }
    Err(unknown())
}

fn unknown() -> Problem {
    Problem::new(UNKNOWN, "The webhook speaks of a payment that the shop does not know.")
}

/// Headers that are no text cannot be part of a signature scheme.
fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let texts = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    texts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
