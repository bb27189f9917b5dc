//! `POST /api/v1/payments/{id}/refunds`.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kit::idempotency::{self, Answer, Claim, Claimed, IdempotencyKey};
use kit::openapi::Problems;
use kit::{Admin, Id, Problem};

use super::body::{NewRefund, NewRefundBody, RefundBody};
use super::card_free::CardFree;
use super::{LEASE_SECONDS, contended, no_such_payment};
use crate::domain::ports::Payments;
use crate::domain::refund::{RefundError, RefundReply, RefundWish, promise};
use crate::outbound::sql::DATABASE;
use crate::outbound::{KeyIds, World};

/// Gives back what was paid, or a part of it. The money is on its way within seconds; the payment's `refunded` shows
/// when it arrived.
#[utoipa::path(
    post,
    path = "/api/v1/payments/{id}/refunds",
    tag = "payments",
    operation_id = "refundPayment",
    security(("bearer" = [])),
    params(
        ("id" = i64, Path, description = "The payment's number."),
        ("Idempotency-Key" = String, Header, description = "A fresh UUID for each new refund; the same one when you repeat it.")
    ),
    request_body = NewRefundBody,
    responses(
        (status = 201, description = "The refund, promised.", body = RefundBody),
        (status = 409, description = "Nothing was paid, or less is left than that; or the key is in use."),
        Problems
    )
)]
pub async fn refund_payment(
    Admin(admin): Admin,
    Id(id): Id,
    key: IdempotencyKey,
    CardFree(new, body_sha256): CardFree<NewRefundBody>,
) -> Result<Response, Problem> {
    kit::local(refund_with(admin.user_id, id, key, new, body_sha256)).await
}

async fn refund_with(
    user_id: i64,
    payment_id: i64,
    key: IdempotencyKey,
    new: NewRefund,
    body_sha256: [u8; 32],
) -> Result<Response, Problem> {
    if World::default().find(payment_id).await?.is_none() {
        return Err(no_such_payment());
    }
    let claim = Claim {
        user_id,
        route: &format!("POST /payments/{payment_id}/refunds"),
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
    let NewRefund { amount, reason } = new;
    let wish = RefundWish { payment_id, refund_id: lease.ids.number, amount, reason };
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
            Answer::problem(&Problem::conflict("payment-status", detail))
        }
        RefundReply::TooMuch(left) => {
            let detail = format!("Only {left} is left of what was paid.");
            Answer::problem(&Problem::conflict("refund-too-large", detail))
        }
    }
}

impl From<RefundError> for Problem {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::NotFound => no_such_payment(),
            RefundError::TakenOver => idempotency::in_flight(),
            RefundError::Contended => contended(),
            RefundError::Store(error) => error.into(),
        }
    }
}
