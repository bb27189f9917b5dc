//! The bodies of requests and answers.

use axum::Json;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::header;
use kit::{Faults, Input, Money, etag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::payment::{Payment, Status};
use crate::domain::refund::{Refund, RefundState};
use crate::domain::token::Token;

/// Longest reason of a refund.
const MAX_REASON_CHARACTERS: usize = 200;

/// A payment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Payment)]
pub struct PaymentBody {
    id: i64,
    order_id: i64,
    user_id: i64,
    amount: Money,
    /// ISO 4217 code.
    #[schema(example = "EUR")]
    currency: String,
    #[schema(inline)]
    status: Status,
    /// What went back so far.
    refunded: Money,
    /// Where the customer must act before it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    action_url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: DateTime<Utc>,
    #[schema(value_type = String, format = DateTime)]
    updated_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

impl PaymentBody {
    /// The payment, and where its customer must act.
    pub fn acting_at(payment: Payment, action_url: Option<String>) -> Self {
        Self { action_url, ..Self::from(payment) }
    }
}

/// A refund.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Refund)]
pub struct RefundBody {
    id: i64,
    payment_id: i64,
    amount: Money,
    /// ISO 4217 code.
    #[schema(example = "EUR")]
    currency: String,
    #[schema(inline)]
    status: RefundState,
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: DateTime<Utc>,
}

impl RefundBody {
    /// The refund, in the currency of its payment.
    pub fn of(refund: &Refund, currency: &str) -> Self {
        Self {
            id: refund.id,
            payment_id: refund.payment_id,
            amount: refund.amount,
            currency: currency.to_owned(),
            status: refund.state,
            reason: refund.reason.clone(),
            created_at: refund.created_at,
        }
    }
}

/// What pays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Confirmation)]
pub struct ConfirmationBody {
    /// A token of the provider. The sandbox knows `tok_ok`, `tok_declined`, `tok_timeout`, `tok_flaky` and `tok_3ds`.
    #[schema(required, nullable = false, example = "tok_ok")]
    token: Option<String>,
}

impl Input for ConfirmationBody {
    type Checked = Token;

    fn check(self, faults: &mut Faults) -> Option<Token> {
        faults.parse("token", self.token, |text| Token::parse(&text))
    }
}

/// What is to go back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRefund)]
pub struct NewRefundBody {
    /// All that is left, where it is not said.
    amount: Option<Money>,
    #[schema(required, nullable = false, min_length = 1, max_length = 200)]
    reason: Option<String>,
}

/// A sound wish for a refund.
#[derive(Debug)]
pub struct NewRefund {
    /// How much; all that is left where it is not said.
    pub amount: Option<Money>,
    /// Why.
    pub reason: String,
}

impl Input for NewRefundBody {
    type Checked = NewRefund;

    fn check(self, faults: &mut Faults) -> Option<NewRefund> {
        if self.amount.is_some_and(|amount| amount <= Money::ZERO) {
            faults.add("amount", "must be more than nothing");
        }
        let reason = faults.parse("reason", self.reason, short)?;
        Some(NewRefund { amount: self.amount, reason })
    }
}

fn short(text: String) -> Result<String, String> {
    let text = text.trim();
    let sound = (1..=MAX_REASON_CHARACTERS).contains(&text.chars().count());
    sound.then(|| text.to_owned()).ok_or_else(|| format!("must have 1 to {MAX_REASON_CHARACTERS} characters"))
}

impl From<Payment> for PaymentBody {
    fn from(payment: Payment) -> Self {
        Self {
            id: payment.id,
            order_id: payment.order_id,
            user_id: payment.user_id,
            amount: payment.amount,
            currency: payment.currency,
            status: payment.status,
            refunded: payment.refunded,
            action_url: None,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
            version: payment.version,
        }
    }
}

impl IntoResponse for PaymentBody {
    fn into_response(self) -> Response {
        let tag = etag::of(self.version);
        ([(header::ETAG, tag)], Json(self)).into_response()
    }
}
