//! The bodies of requests and answers.

use axum::Json;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::header;
use kit::{Faults, Input, Money, etag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::order::{Order, Past, Shipment};
use crate::domain::{Asked, Line, Lines, Reason, Status};

/// Longest name of a carrier and longest tracking number.
const MAX_SHIPMENT_CHARACTERS: usize = 100;

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Order)]
pub struct OrderBody {
    id: i64,
    user_id: i64,
    items: Vec<ItemBody>,
    status: Status,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// Σ quantity × price.
    total_amount: Money,
    /// ISO 4217 code.
    #[schema(example = "EUR")]
    currency: String,
    /// How it was shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipment: Option<ShipmentBody>,
    #[schema(value_type = String, format = DateTime)]
    created_at: DateTime<Utc>,
    #[schema(value_type = String, format = DateTime)]
    updated_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

/// A line of an order, with name and price as they were when it was placed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderItem)]
pub struct ItemBody {
    product_id: i64,
    name: String,
    quantity: i64,
    price: Money,
}

/// How an order is on its way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shipment)]
pub struct ShipmentBody {
    carrier: String,
    tracking: String,
}

/// One line of an order's history.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderHistoryEntry)]
pub struct PastBody {
    /// The version of the order that this made.
    version: i64,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// Who did it: `user:7`, `admin:1`, `payments`, `clock`.
    #[schema(example = "user:7")]
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    changed_at: DateTime<Utc>,
}

/// What a customer orders.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewOrder)]
pub struct NewOrderBody {
    /// Must be the caller's own number, when it is sent at all.
    user_id: Option<i64>,
    /// 1 to 100 lines; lines of the same product are added up.
    #[schema(required, nullable = false, min_items = 1, max_items = 100)]
    items: Option<Vec<NewItemBody>>,
    /// The total that the customer was shown; another one is refused with 409.
    expected_total: Option<Money>,
}

/// A product and how many pieces of it are ordered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewOrderItem)]
pub struct NewItemBody {
    #[schema(required, nullable = false, minimum = 1)]
    product_id: Option<i64>,
    #[schema(required, nullable = false, minimum = 1, maximum = 1000)]
    quantity: Option<i64>,
}

/// A sound order, before anybody was asked.
#[derive(Debug)]
pub struct NewOrder {
    /// Whose order it is said to be.
    pub user_id: Option<i64>,
    /// Its lines.
    pub lines: Lines,
    /// The total that the customer was shown.
    pub expected_total: Option<Money>,
}

impl Input for NewOrderBody {
    type Checked = NewOrder;

    fn check(self, faults: &mut Faults) -> Option<NewOrder> {
        let items: Vec<Asked> = faults.required("items", self.items)?.into_iter().map(Asked::from).collect();
        let lines = Lines::parse(&items).map_err(|found| faults.extend(found)).ok()?;
        Some(NewOrder { user_id: self.user_id, lines, expected_total: self.expected_total })
    }
}

impl From<NewItemBody> for Asked {
    fn from(item: NewItemBody) -> Self {
        Self { product_id: item.product_id, quantity: item.quantity }
    }
}

/// How an order is shipped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewShipment)]
pub struct NewShipmentBody {
    #[schema(required, nullable = false, min_length = 1, max_length = 100)]
    carrier: Option<String>,
    #[schema(required, nullable = false, min_length = 1, max_length = 100)]
    tracking: Option<String>,
}

impl Input for NewShipmentBody {
    type Checked = Shipment;

    fn check(self, faults: &mut Faults) -> Option<Shipment> {
        let carrier = faults.parse("carrier", self.carrier, short);
        let tracking = faults.parse("tracking", self.tracking, short);
        Some(Shipment { carrier: carrier?, tracking: tracking? })
    }
}

fn short(text: String) -> Result<String, String> {
    let text = text.trim();
    let sound = (1..=MAX_SHIPMENT_CHARACTERS).contains(&text.chars().count());
    let fault = || format!("must have 1 to {MAX_SHIPMENT_CHARACTERS} characters");
    sound.then(|| text.to_owned()).ok_or_else(fault)
}

impl From<Order> for OrderBody {
    fn from(order: Order) -> Self {
        Self {
            id: order.id,
            user_id: order.user_id,
            items: order.lines.into_iter().map(ItemBody::from).collect(),
            status: order.status,
            reason: order.reason,
            total_amount: order.total,
            currency: order.currency,
            shipment: order.shipment.map(ShipmentBody::from),
            created_at: order.created_at,
            updated_at: order.updated_at,
            version: order.version,
        }
    }
}

impl From<Line> for ItemBody {
    fn from(line: Line) -> Self {
        Self { product_id: line.product_id, name: line.name, quantity: line.quantity, price: line.price }
    }
}

impl From<Shipment> for ShipmentBody {
    fn from(shipment: Shipment) -> Self {
        Self { carrier: shipment.carrier, tracking: shipment.tracking }
    }
}

impl From<Past> for PastBody {
    fn from(past: Past) -> Self {
        let Past { version, status, reason, actor, changed_at } = past;
        Self { version, status, reason, actor, changed_at }
    }
}

impl IntoResponse for OrderBody {
    fn into_response(self) -> Response {
        let tag = etag::of(self.version);
        ([(header::ETAG, tag)], Json(self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::line::Wanted;

    fn faults(body: &str) -> String {
        let problem = kit::input::read_body::<NewOrderBody>(body.as_bytes()).unwrap_err();
        problem.detail().to_owned()
    }

    #[test]
    fn a_sound_order_is_read() {
        let body = br#"{"userId":7,"items":[{"productId":3,"quantity":2}],"expectedTotal":39.98}"#;
        let order = kit::input::read_body::<NewOrderBody>(body).unwrap();
        assert_eq!(order.lines.as_slice(), [Wanted { product_id: 3, quantity: 2 }]);
        assert_eq!(order.expected_total, Some(Money::from_minor(3998)));
    }

    #[test]
    fn every_wrong_field_is_named() {
        assert_eq!(faults("{}"), "Wrong or missing: items.");
        assert_eq!(faults(r#"{"items":[]}"#), "Wrong or missing: items.");
        assert_eq!(
            faults(r#"{"items":[{"productId":3,"quantity":-1},{"quantity":1}]}"#),
            "Wrong or missing: items[0].quantity, items[1].productId."
        );
        assert_eq!(
            faults(r#"{"items":[{"productId":0,"quantity":-1}]}"#),
            "Wrong or missing: items[0].productId, items[0].quantity."
        );
        assert_eq!(
            faults(
                r#"{"userId":"x","total":1,"items":[{"productId":"a","quantity":0,"more":1},7],"expectedTotal":"1"}"#
            ),
            "Wrong or missing: expectedTotal, items[0].more, items[0].productId, items[1], total, userId, items[0].quantity."
        );
    }
}
