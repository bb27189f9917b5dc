//! `POST /api/v1/payments/{id}/refunds`.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kit::idempotency::{self, Answer, Claim, Claimed, IdempotencyKey, IdempotencyKeyHeader};
use kit::input::IdPath;
use kit::problem::Kind;
use kit::{Admin, Id, Problem, Traceparent, refusals};
use serde_json::json;

use super::body::{NewRefund, NewRefundBody, RefundBody};
use super::card_free::CardFree;
use super::{LEASE_SECONDS, PAYMENT_STATUS, contended, no_such_payment};
use crate::domain::ports::Payments;
use crate::domain::refund::{RefundError, RefundReply, RefundWish, promise};
use crate::outbound::{DATABASE, KeyIds, World};

const REFUND_TOO_LARGE: Kind =
    Kind::named(StatusCode::CONFLICT, "refund-too-large", "Less than that is left of what was paid.");

refusals! {
    /// Why nothing goes back.
    RefundRefusals: PAYMENT_STATUS, REFUND_TOO_LARGE
}

/// Give back what was paid
///
/// Or a part of it. The money is on its way within seconds; the payment's `refunded` shows when it arrived. For
/// administrators.
#[utoipa::path(
    post,
    path = "/api/v1/payments/{id}/refunds",
    tag = "payments",
    operation_id = "refundPayment",
    security(("bearer" = ["admin"])),
    params(IdPath, IdempotencyKeyHeader),
    request_body = NewRefundBody,
    responses(
        (
            status = 201, description = "The refund, promised.", body = RefundBody,
            links(("getPayment" = (operation_id = "getPayment", parameters(("id" = json!("$response.body#/paymentId"))))))
        ),
        RefundRefusals
    )
)]
pub async fn refund_payment(
    Admin(admin): Admin,
    Id(id): Id,
    key: IdempotencyKey,
    Traceparent(traceparent): Traceparent,
    CardFree(NewRefund { amount, reason }, body_sha256): CardFree<NewRefundBody>,
) -> Result<Response, Problem> {
    let wish = RefundWish { by: admin.user_id, payment_id: id, refund_id: 0, amount, reason, traceparent };
    kit::local(refund_with(key, body_sha256, wish)).await
}

async fn refund_with(key: IdempotencyKey, body_sha256: [u8; 32], mut wish: RefundWish) -> Result<Response, Problem> {
    if World::default().find(wish.payment_id).await?.is_none() {
        return Err(no_such_payment());
    }
    let claim = Claim {
        user_id: wish.by,
        route: &format!("POST /payments/{}/refunds", wish.payment_id),
        key: &key,
        body_sha256,
        ids: &KeyIds::default(),
        sequence: Some("refund_number"),
        lease_s: LEASE_SECONDS,
    };
    let lease = match idempotency::claim(&DATABASE, claim).await? {
        Claimed::Done(answer) => return Ok(answer.into_response()),
        Claimed::Mine(lease) => lease,
    };
    wish.refund_id = lease.ids.number;
    let world = World { lease: Some(lease) };
    Ok(promise(&world, &wish, render).await?.into_response())
}

fn render(reply: &RefundReply) -> Answer {
    match reply {
        RefundReply::Promised { refund, currency } => {
            Answer::json(StatusCode::CREATED, &RefundBody::of(refund, currency))
        }
        RefundReply::NotCharged(status) => {
            let detail = format!("Nothing was paid that could go back: the payment is `{}`.", status.word());
            Answer::problem(&Problem::new(PAYMENT_STATUS, detail))
        }
        RefundReply::NotPermitted => {
            Answer::problem(&Problem::forbidden("Your account may not give money back any more."))
        }
        RefundReply::TooMuch(left) => {
            let detail = format!("Only {left} is left of what was paid.");
            Answer::problem(&Problem::new(REFUND_TOO_LARGE, detail))
        }
    }
}

impl From<RefundError> for Problem {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::NotFound => no_such_payment(),
            RefundError::TakenOver => idempotency::in_flight(),
            RefundError::Contended => contended(),
            RefundError::Unavailable(unavailable) => unavailable.into(),
            RefundError::Store(error) => error.into(),
        }
    }
}
