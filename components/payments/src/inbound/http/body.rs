//! The bodies of requests and answers.

use axum::Json;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::header;
use kit::money::amount_format;
use kit::text::{Text, text};
use kit::{Faults, Input, Money, etag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{Object, ObjectBuilder};

use crate::domain::payment::{Payment, Status};
use crate::domain::refund::{Refund, RefundState};
use crate::domain::token::Token;

/// Why a refund is made.
type ReasonText = Text<1, 200>;

/// A payment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Payment, examples(json!({
    "id": 5, "orderId": 17, "userId": 7, "amount": 39.98, "currency": "EUR", "status": "succeeded", "refunded": 0.00,
    "createdAt": "2026-11-24T09:30:00.123456Z", "updatedAt": "2026-11-24T09:30:00.123456Z"
})))]
pub struct PaymentBody {
    #[schema(minimum = 1)]
    id: i64,
    #[schema(minimum = 1)]
    order_id: i64,
    #[schema(minimum = 1)]
    user_id: i64,
    amount: Money,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    status: Status,
    /// What went back so far.
    refunded: Money,
    /// Where the customer must act before it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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
#[schema(as = Refund, examples(json!({
    "id": 2, "paymentId": 5, "amount": 19.99, "currency": "EUR", "status": "pending", "reason": "One cup was broken.",
    "createdAt": "2026-11-24T09:30:00.123456Z"
})))]
pub struct RefundBody {
    #[schema(minimum = 1)]
    id: i64,
    #[schema(minimum = 1)]
    payment_id: i64,
    amount: Money,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
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
#[schema(as = Confirmation, examples(json!({"token": "tok_ok"})))]
pub struct ConfirmationBody {
    /// A token of the provider. The sandbox knows `tok_ok`, `tok_declined`, `tok_timeout`, `tok_flaky` and `tok_3ds`.
    #[schema(required, value_type = String, pattern = "^[!-~]{1,255}$")]
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
#[schema(as = NewRefund, examples(json!({"amount": 19.99, "reason": "One cup was broken."})))]
pub struct NewRefundBody {
    /// All that is left, where it is not said.
    #[schema(schema_with = amount)]
    amount: Option<Money>,
    #[schema(required, schema_with = text::<1, 200>)]
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
        let reason = faults.parse("reason", self.reason, |text| text.parse::<ReasonText>());
        Some(NewRefund { amount: self.amount, reason: reason?.into() })
    }
}

/// The schema of an amount that is more than nothing, or left out.
fn amount() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::Number, Type::Null]))
        .minimum(Some(0.01))
        .format(Some(amount_format()))
        .description(Some("An exact decimal amount with at most two decimals; all that is left, where it is not said."))
        .build()
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
