//! A payment: what an order costs, and how far it is paid.

use chrono::{DateTime, Duration, DurationRound, Utc};
use kit::Money;
use serde::{Deserialize, Serialize};

/// Declines after which a payment is given up.
pub const MAX_DECLINES: i64 = 5;

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentStatus)]
pub enum Status {
    /// It waits for its customer.
    RequiresPayment,
    /// The provider was asked, and what became of it is not known yet.
    Processing,
    /// The money was taken; some or all of it may have been given back since.
    Succeeded,
    /// It was given up.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::RequiresPayment, Self::Processing, Self::Succeeded, Self::Cancelled];

    /// The word for it in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::RequiresPayment => "requires_payment",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this word; `None` when there is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// The payment of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The payment's number, from 1.
    pub id: i64,
    /// The order that it is for; an order has one payment.
    pub order_id: i64,
    /// Who is to pay.
    pub user_id: i64,
    /// What the order costs.
    pub amount: Money,
    /// ISO 4217 code.
    pub currency: String,
    /// How far it is.
    pub status: Status,
    /// The provider that took the money.
    pub provider: Option<String>,
    /// The provider's id of the charge.
    pub charge_id: Option<String>,
    /// Attempts so far; the last one is open while the payment is processing.
    pub attempts: i64,
    /// Declines so far.
    pub declines: i64,
    /// The order is cancelled: whatever is charged goes back.
    pub order_cancelled: bool,
    /// What was promised back, whether it arrived or not.
    pub refunding: Money,
    /// What arrived.
    pub refunded: Money,
    /// 1 when opened, one more with every change.
    pub version: i64,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Who took the money of a payment, and under which id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge<'a> {
    /// The provider's name.
    pub provider: &'a str,
    /// The provider's id of the charge.
    pub id: &'a str,
}

impl Payment {
    /// The charge, once there is one.
    pub fn charge(&self) -> Option<Charge<'_>> {
        Some(Charge { provider: self.provider.as_deref()?, id: self.charge_id.as_deref()? })
    }

    /// What could still be given back.
    pub fn refundable(&self) -> Money {
        match self.status {
            Status::Succeeded => self.amount.checked_sub(self.refunding).unwrap_or_default(),
            Status::RequiresPayment | Status::Processing | Status::Cancelled => Money::ZERO,
        }
    }

    /// Whether its customer may try to pay now.
    pub fn is_payable(&self) -> bool {
        self.status == Status::RequiresPayment && !self.order_cancelled
    }

    /// The same payment, one version on.
    pub(super) fn next(&self) -> Self {
        Self { version: self.version + 1, updated_at: now(), ..self.clone() }
    }
}

/// The time to the microsecond, which is what the database keeps: what is answered now reads the same later.
fn now() -> DateTime<Utc> {
    let now = Utc::now();
    now.duration_trunc(Duration::microseconds(1)).unwrap_or(now)
}
