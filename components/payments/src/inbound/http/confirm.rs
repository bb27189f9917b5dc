//! `POST /api/v1/payments/{id}/confirm`.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kit::idempotency::{self, Answer, Claim, Claimed, IdempotencyKey, IdempotencyKeyHeader};
use kit::input::IdPath;
use kit::problem::Kind;
use kit::{Caller, Faults, Id, Problem, Traceparent, refusals};
use serde_json::json;

use super::body::{ConfirmationBody, PaymentBody};
use super::card_free::CardFree;
use super::{LEASE_SECONDS, PAYMENT_STATUS, contended, no_such_payment};
use crate::domain::confirm::{ConfirmError, Confirmation, Reply, confirm};
use crate::domain::payment::Status;
use crate::domain::ports::Payments;
use crate::outbound::{DATABASE, KeyIds, World};

const DECLINED: Kind = Kind::named(
    StatusCode::PAYMENT_REQUIRED,
    "payment-declined",
    "The provider declined. Another token may do better, under a fresh key; the fifth time ends the payment.",
);
const NOT_ACTIVE: Kind = Kind::plain(StatusCode::FORBIDDEN, "The account is not active, so it cannot pay.");

refusals! {
    /// Why nothing is paid.
    ConfirmRefusals: DECLINED, NOT_ACTIVE, PAYMENT_STATUS
}

/// Pay
///
/// With a token that the payment provider's form gave for a card; card numbers are refused. A repetition with the same key
/// never pays twice. The owner of the payment may.
#[utoipa::path(
    post,
    path = "/api/v1/payments/{id}/confirm",
    tag = "payments",
    operation_id = "confirmPayment",
    security(("bearer" = [])),
    params(IdPath, IdempotencyKeyHeader),
    request_body = ConfirmationBody,
    responses(
        (
            status = 200, description = "Paid. The order becomes `paid` a moment later.", body = PaymentBody,
            links(
                ("getPayment" = (operation_id = "getPayment", parameters(("id" = json!("$response.body#/id"))))),
                ("refundPayment" = (operation_id = "refundPayment", parameters(("id" = json!("$response.body#/id"))))),
                ("getOrder" = (operation_id = "getOrder", parameters(("id" = json!("$response.body#/orderId"))))),
                ("cancelOrder" = (operation_id = "cancelOrder", parameters(("id" = json!("$response.body#/orderId"))))),
                ("shipOrder" = (operation_id = "shipOrder", parameters(("id" = json!("$response.body#/orderId")))))
            )
        ),
        (
            status = 202, description = "Under way, or the customer must act at `actionUrl`. Look again later.",
            body = PaymentBody,
            links(("getPayment" = (operation_id = "getPayment", parameters(("id" = json!("$response.body#/id"))))))
        ),
        ConfirmRefusals
    )
)]
pub async fn confirm_payment(
    caller: Caller,
    Id(id): Id,
    key: IdempotencyKey,
    Traceparent(traceparent): Traceparent,
    CardFree(token, body_sha256): CardFree<ConfirmationBody>,
) -> Result<Response, Problem> {
    let confirmation =
        Confirmation { payment_id: id, user_id: caller.user_id, token, attempt_number: None, traceparent };
    kit::local(confirm_with(key, body_sha256, confirmation)).await
}

async fn confirm_with(
    key: IdempotencyKey,
    body_sha256: [u8; 32],
    mut confirmation: Confirmation,
) -> Result<Response, Problem> {
    let payment = World::default().find(confirmation.payment_id).await?;
    if payment.is_none_or(|payment| payment.user_id != confirmation.user_id) {
        return Err(no_such_payment());
    }
    let claim = Claim {
        user_id: confirmation.user_id,
        route: &format!("POST /payments/{}/confirm", confirmation.payment_id),
        key: &key,
        body_sha256,
        ids: &KeyIds::default(),
        sequence: None,
        lease_s: LEASE_SECONDS,
    };
    let lease = match idempotency::claim(&DATABASE, claim).await? {
        Claimed::Done(answer) => return Ok(answer.into_response()),
        Claimed::Mine(lease) => lease,
    };
    confirmation.attempt_number = lease.ids.attempt;
    let world = World { lease: Some(lease) };
    Ok(confirm(&world, &confirmation, render).await?.into_response())
}

fn render(reply: &Reply) -> Answer {
    match reply {
        Reply::Succeeded(payment) => Answer::json(StatusCode::OK, &PaymentBody::from(payment.clone())),
        Reply::Processing(payment, url) => {
            Answer::json(StatusCode::ACCEPTED, &PaymentBody::acting_at(payment.clone(), url.clone()))
        }
        Reply::Declined(payment, code) => Answer::problem(&declined(payment.status, code)),
        Reply::NotPayable(status) => Answer::problem(&not_payable(*status)),
        Reply::Invalid(how) => Answer::problem(&invalid(how)),
        Reply::NotActive => Answer::problem(&Problem::new(NOT_ACTIVE, "Your account is not active, so it cannot pay.")),
    }
}

fn declined(status: Status, code: &str) -> Problem {
    let advice = match status {
        Status::Cancelled => "It was the last try: the payment is given up, and the order with it.",
        _ => "Try again with another token and a fresh Idempotency-Key.",
    };
    let detail = format!("The provider declined the payment ({code}). {advice}");
    Problem::new(DECLINED, detail)
}

fn not_payable(status: Status) -> Problem {
    let detail = match status {
        Status::Processing => "The payment is under way. Look again in a moment.",
        Status::Succeeded => "The payment was made already.",
        Status::Cancelled | Status::RequiresPayment => "The payment was given up: its order is cancelled.",
    };
    Problem::new(PAYMENT_STATUS, detail)
}

fn invalid(how: &str) -> Problem {
    let mut faults = Faults::new();
    faults.add("token", format!("was not understood by the payment provider: {how}"));
    Problem::invalid(faults)
}

impl From<ConfirmError> for Problem {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::NotFound => no_such_payment(),
            ConfirmError::TakenOver => idempotency::in_flight(),
            ConfirmError::Contended => contended(),
            ConfirmError::Unavailable(unavailable) => unavailable.into(),
            ConfirmError::Store(error) => error.into(),
        }
    }
}
