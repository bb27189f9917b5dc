//! What the orders tell others, and what the payments tell them.

use chrono::{DateTime, SecondsFormat, Utc};
use kit::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::order::Order;
use super::status::Reason;

/// The topic that orders publish on.
pub const TOPIC: &str = "order-events";

/// The type of the event that tells of a new order.
pub const ORDER_CREATED: &str = "ORDER_CREATED";

/// The `data` of an event of an order.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderEventData)]
pub struct OrderData<'a> {
    /// The order's number.
    #[schema(minimum = 1)]
    order_id: i64,
    /// Whose it is.
    #[schema(minimum = 1)]
    user_id: i64,
    /// Σ quantity × price.
    total_amount: Money,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: &'a str,
    items: Vec<Item<'a>>,
    /// When it was placed.
    #[schema(value_type = String, format = DateTime)]
    created_at: String,
    /// The order's version from now on: 1 when it was placed, one more with every change.
    #[schema(minimum = 1)]
    version: i64,
    /// The name under which the products hold its pieces.
    #[schema(value_type = String, format = "uuid")]
    reservation_id: &'a str,
    /// Why it was cancelled, when it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<Reason>,
}

/// A line of the order, with name and price as they were when it was placed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderEventItem)]
pub struct Item<'a> {
    #[schema(minimum = 1)]
    product_id: i64,
    name: &'a str,
    #[schema(minimum = 1)]
    quantity: i64,
    price: Money,
}

impl<'a> OrderData<'a> {
    /// What is told about this order.
    pub fn of(order: &'a Order) -> Self {
        let items = order.lines.iter().map(|line| Item {
            product_id: line.product_id,
            name: &line.name,
            quantity: line.quantity,
            price: line.price,
        });
        Self {
            order_id: order.id,
            user_id: order.user_id,
            total_amount: order.total,
            currency: &order.currency,
            items: items.collect(),
            created_at: rfc3339(order.created_at),
            version: order.version,
            reservation_id: &order.reservation_id,
            reason: order.reason,
        }
    }
}

/// The key of an order's events, which keeps them in order: `order-17`.
pub fn key(order_id: i64) -> String {
    format!("order-{order_id}")
}

/// A time as events and answers show it: RFC 3339 in UTC.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// An event of a payment that matters to its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentEvent {
    /// The money is there.
    Succeeded(Paid),
    /// The payment was given up.
    Failed {
        /// The order that it was for.
        order_id: i64,
    },
}

/// What was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The order that it is for.
    pub order_id: i64,
    /// How much.
    pub amount: Money,
    /// ISO 4217 code.
    pub currency: String,
}

impl PaymentEvent {
    /// Reads the value of an event, `{"type": …, "data": …}`; `None` for a type that orders need not know.
    pub fn parse(value: &str) -> Result<Option<Self>, serde_json::Error> {
        let envelope: Envelope = serde_json::from_str(value)?;
        match envelope.kind.as_str() {
            "PAYMENT_SUCCEEDED" => {
                let data: SucceededData = serde_json::from_value(envelope.data)?;
                let SucceededData { order_id, amount, currency } = data;
                Ok(Some(Self::Succeeded(Paid { order_id, amount, currency })))
            }
            "PAYMENT_FAILED" => {
                let data: FailedData = serde_json::from_value(envelope.data)?;
                Ok(Some(Self::Failed { order_id: data.order_id }))
            }
            _ => Ok(None),
        }
    }

    /// The order that it is about.
    pub fn order_id(&self) -> i64 {
        match self {
            Self::Succeeded(paid) => paid.order_id,
            Self::Failed { order_id } => *order_id,
        }
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
struct SucceededData {
    order_id: i64,
    amount: Money,
    currency: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FailedData {
    order_id: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ports::fake::an_order;
    use crate::domain::status::Status;

    #[test]
    fn an_event_tells_what_the_seed_told_and_a_little_more() {
        let mut order = an_order(17, Status::Cancelled);
        order.reason = Some(Reason::Expired);
        let data = serde_json::to_value(OrderData::of(&order)).unwrap();
        assert_eq!(
            data.to_string(),
            r#"{"createdAt":"2026-01-02T03:04:05.000000Z","currency":"EUR","items":[{"name":"Cup","price":19.99,"productId":3,"quantity":2}],"orderId":17,"reason":"expired","reservationId":"00000000-0000-0000-0000-000000000017","totalAmount":39.98,"userId":7,"version":1}"#
        );
    }

    #[test]
    fn a_payment_event_is_read_and_an_unknown_one_passed_over() {
        let paid = r#"{"type":"PAYMENT_SUCCEEDED","data":{"paymentId":1,"orderId":17,"userId":7,"amount":39.98,"currency":"EUR"}}"#;
        let expected = Paid { order_id: 17, amount: Money::from_minor(3998), currency: "EUR".to_owned() };
        assert_eq!(PaymentEvent::parse(paid).unwrap(), Some(PaymentEvent::Succeeded(expected)));
        let failed = r#"{"type":"PAYMENT_FAILED","data":{"orderId":17}}"#;
        assert_eq!(PaymentEvent::parse(failed).unwrap(), Some(PaymentEvent::Failed { order_id: 17 }));
        assert_eq!(PaymentEvent::parse(r#"{"type":"PAYMENT_DOUBTED","data":null}"#).unwrap(), None);
        assert!(PaymentEvent::parse(r#"{"type":"PAYMENT_SUCCEEDED","data":{}}"#).is_err());
    }
}
