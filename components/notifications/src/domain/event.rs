//! What the orders tell.

use kit::Money;
use serde::Deserialize;

use super::notification::Kind;

/// An event of an order that its customer wants to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEvent {
    /// What happened to it.
    pub kind: Kind,
    /// The order.
    pub order_id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// What it costs.
    pub total: Money,
    /// ISO 4217 code.
    pub currency: String,
    /// Why it was cancelled, when it was.
    pub reason: Option<Reason>,
}

/// Why an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its customer wished it.
    User,
    /// The shop wished it.
    Admin,
    /// It was not paid in time.
    Expired,
    /// Its payment was given up.
    PaymentFailed,
    /// It could not be delivered.
    OutOfStock,
    /// One that came up since this was written: readers ignore what they do not know.
    #[serde(other)]
    Other,
}

impl OrderEvent {
    /// Reads the value of an event, `{"type": …, "data": …}`; `None` for a type that nobody is told of.
    pub fn parse(value: &str) -> Result<Option<Self>, serde_json::Error> {
        let envelope: Envelope = serde_json::from_str(value)?;
        let kind = match envelope.kind.as_str() {
            "ORDER_CREATED" => Kind::OrderPlaced,
            "ORDER_PAID" => Kind::OrderPaid,
            "ORDER_SHIPPED" => Kind::OrderShipped,
            "ORDER_DELIVERED" => Kind::OrderDelivered,
            "ORDER_CANCELLED" => Kind::OrderCancelled,
            _ => return Ok(None),
        };
        let data: Data = serde_json::from_value(envelope.data)?;
        let Data { order_id, user_id, total_amount: total, currency, reason } = data;
        Ok(Some(Self { kind, order_id, user_id, total, currency, reason }))
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
struct Data {
    order_id: i64,
    user_id: i64,
    total_amount: Money,
    currency: String,
    reason: Option<Reason>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_and_an_unknown_one_passed_over() {
        let value = r#"{"type":"ORDER_CANCELLED","data":{"orderId":17,"userId":7,"totalAmount":39.98,"currency":"EUR","reason":"expired","items":[],"version":2}}"#;
        let event = OrderEvent::parse(value).unwrap().unwrap();
        assert_eq!((event.kind, event.order_id, event.user_id), (Kind::OrderCancelled, 17, 7));
        assert_eq!((event.total.minor(), event.reason), (3998, Some(Reason::Expired)));
        let new = value.replace("expired", "moved_house");
        assert_eq!(OrderEvent::parse(&new).unwrap().unwrap().reason, Some(Reason::Other));
        assert_eq!(OrderEvent::parse(r#"{"type":"ORDER_DOUBTED","data":{}}"#).unwrap(), None);
    }

    #[test]
    fn what_is_no_event_of_an_order_is_refused() {
        for value in ["", "{}", r#"{"type":"ORDER_PAID","data":{"orderId":"seven"}}"#, r#"{"type":"ORDER_PAID"}"#] {
            assert!(OrderEvent::parse(value).is_err(), "{value}");
        }
    }
}
