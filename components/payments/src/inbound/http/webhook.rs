//! `POST /api/v1/payments/webhooks/{provider}`.

use axum::body::Bytes;
use http::{HeaderMap, StatusCode};
use kit::Problem;
use kit::input::Named;
use kit::openapi::Problems;

use crate::domain::clock::take_in;
use crate::domain::ports::{Payments, Provider};
use crate::domain::refund::settle_refund;
use crate::outbound::World;
use crate::outbound::shop::{Notice, read_webhook};

/// Takes in what a provider tells, once its signature and age are found sound. A repetition has no effect.
#[utoipa::path(
    post,
    path = "/api/v1/payments/webhooks/{provider}",
    tag = "payments",
    operation_id = "takeWebhook",
    params(("provider" = String, Path, description = "The provider's name, such as `sandbox`.")),
    request_body(content = String, content_type = "application/json", description = "In the provider's own form."),
    responses((status = 204, description = "Taken in."), Problems)
)]
pub async fn take_webhook(Named(provider): Named, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Problem> {
    kit::local(take(provider, texts(&headers), body.to_vec())).await
}

async fn take(provider: String, headers: Vec<(String, String)>, body: Vec<u8>) -> Result<StatusCode, Problem> {
    let world = World::default();
    if world.name().await? != provider {
        return Err(Problem::not_found("The shop has no such payment provider."));
    }
    let notice = read_webhook(headers, body).await?;
    let notice = notice.map_err(|how| Problem::malformed(format!("The webhook is not accepted: {how}.")))?;
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
    Err(Problem::not_found("The webhook speaks of a payment that the shop does not know."))
}

/// Headers that are no text cannot be part of a signature scheme.
fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let texts = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    texts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
