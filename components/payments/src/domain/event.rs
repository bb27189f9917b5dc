//! What the payments tell others, and what the orders tell them.

use kit::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::payment::Payment;

/// The topic that payments publish on.
pub const TOPIC: &str = "payment-events";

/// The type of the event that tells of money that was taken.
pub const PAYMENT_SUCCEEDED: &str = "PAYMENT_SUCCEEDED";
/// The type of the event that tells of a payment that was given up.
pub const PAYMENT_FAILED: &str = "PAYMENT_FAILED";
/// The type of the event that tells of money that went back.
pub const PAYMENT_REFUNDED: &str = "PAYMENT_REFUNDED";

/// Something that others should know of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `PAYMENT_SUCCEEDED`, `PAYMENT_FAILED` or `PAYMENT_REFUNDED`.
    pub kind: &'static str,
    /// What is told, a JSON object.
    pub data: String,
}

impl Event {
    /// The money of this payment was taken.
    pub fn succeeded(payment: &Payment) -> Self {
        Self::about(PAYMENT_SUCCEEDED, payment, payment.amount, None)
    }

    /// This payment was given up.
    pub fn failed(payment: &Payment) -> Self {
        Self::about(PAYMENT_FAILED, payment, payment.amount, None)
    }

    /// So much of this payment went back.
    pub fn refunded(payment: &Payment, refund_id: i64, amount: Money) -> Self {
        Self::about(PAYMENT_REFUNDED, payment, amount, Some(refund_id))
    }

    fn about(kind: &'static str, payment: &Payment, amount: Money, refund_id: Option<i64>) -> Self {
        let data = PaymentData {
            payment_id: payment.id,
            order_id: payment.order_id,
            user_id: payment.user_id,
            amount,
            currency: &payment.currency,
            refunded: payment.refunded,
            refund_id,
            version: payment.version,
        };
        // Numbers and texts under fixed names: there is nothing in it that JSON could not show.
        Self { kind, data: serde_json::to_string(&data).unwrap_or_default() }
    }
}

/// The `data` of an event of a payment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PaymentEventData)]
pub struct PaymentData<'a> {
    /// The payment's number.
    #[schema(minimum = 1)]
    payment_id: i64,
    /// The order that it is for.
    #[schema(minimum = 1)]
    order_id: i64,
    /// Who pays.
    #[schema(minimum = 1)]
    user_id: i64,
    /// What the event is about: what was paid, what was not, or what went back this time.
    amount: Money,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: &'a str,
    /// What went back so far, all refunds together.
    refunded: Money,
    /// The refund's number, where money went back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refund_id: Option<i64>,
    /// The payment's version from now on.
    #[schema(minimum = 1)]
    version: i64,
}

/// The key of a payment's events, the same as its order's, which keeps them in order: `order-17`.
pub fn key(order_id: i64) -> String {
    format!("order-{order_id}")
}

/// An event of an order that matters to its payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEvent {
    /// Whether the order was placed or ended.
    pub kind: OrderEventKind,
    /// The order.
    pub order_id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// What it costs.
    pub amount: Money,
    /// ISO 4217 code.
    pub currency: String,
}

/// What happened to the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderEventKind {
    /// It was placed.
    Created,
    /// It was cancelled, whatever the reason.
    Cancelled,
}

impl OrderEvent {
    /// Reads the value of an event, `{"type": …, "data": …}`; `None` for a type that payments need not know.
    pub fn parse(value: &str) -> Result<Option<Self>, serde_json::Error> {
        let envelope: Envelope = serde_json::from_str(value)?;
        let kind = match envelope.kind.as_str() {
            "ORDER_CREATED" => OrderEventKind::Created,
            "ORDER_CANCELLED" => OrderEventKind::Cancelled,
            _ => return Ok(None),
        };
        let data: OrderData = serde_json::from_value(envelope.data)?;
        let OrderData { order_id, user_id, total_amount: amount, currency } = data;
        Ok(Some(Self { kind, order_id, user_id, amount, currency }))
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    data: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderData {
    order_id: i64,
    user_id: i64,
    total_amount: Money,
    currency: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::payment::Status;
    use crate::domain::ports::fake::a_payment;

    #[test]
    fn an_order_event_is_read_and_an_unknown_one_passed_over() {
        let value = r#"{"type":"ORDER_CREATED","data":{"orderId":17,"userId":7,"totalAmount":39.98,"currency":"EUR","items":[]}}"#;
        let event = OrderEvent::parse(value).unwrap().unwrap();
        assert_eq!((event.kind, event.order_id, event.amount.minor()), (OrderEventKind::Created, 17, 3998));
        assert_eq!(OrderEvent::parse(r#"{"type":"ORDER_SHIPPED","data":{}}"#).unwrap(), None);
        assert!(OrderEvent::parse(r#"{"type":"ORDER_CREATED","data":{"orderId":1}}"#).is_err());
    }

    #[test]
    fn a_payment_tells_its_amount_exactly() {
        let event = Event::succeeded(&a_payment(Status::Succeeded));
        assert_eq!(
            event.data,
            r#"{"paymentId":1,"orderId":17,"userId":7,"amount":39.98,"currency":"EUR","refunded":0.00,"version":1}"#
        );
    }
}
