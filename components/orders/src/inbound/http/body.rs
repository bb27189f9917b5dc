//! The bodies of requests and answers.

use axum::Json;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::header;
use kit::text::{Line as OneLine, line};
use kit::{Faults, Input, Money, etag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::order::{Order, Past, Shipment};
use crate::domain::{Asked, Line, Lines, Reason, Status};

/// The name of a carrier, or a tracking number.
type Label = OneLine<1, 100>;

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Order, examples(json!({
    "id": 17, "userId": 7, "items": [{"productId": 3, "name": "Teapot", "quantity": 2, "price": 19.99}],
    "status": "pending", "totalAmount": 39.98, "currency": "EUR", "createdAt": "2026-11-24T09:30:00.123456Z",
    "updatedAt": "2026-11-24T09:30:00.123456Z"
})))]
pub struct OrderBody {
    #[schema(minimum = 1)]
    id: i64,
    #[schema(minimum = 1)]
    user_id: i64,
    items: Vec<ItemBody>,
    status: Status,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<Reason>,
    /// Σ quantity × price.
    total_amount: Money,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// How it was shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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
    #[schema(minimum = 1)]
    product_id: i64,
    name: String,
    #[schema(minimum = 1, maximum = 1000)]
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
#[schema(as = OrderHistoryEntry, examples(json!({
    "version": 1, "status": "pending", "actor": "user:7", "changedAt": "2026-11-24T09:30:00.123456Z"
})))]
pub struct PastBody {
    /// The version of the order that this made.
    version: i64,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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
#[schema(as = NewOrder, examples(json!({"items": [{"productId": 3, "quantity": 2}], "expectedTotal": 39.98})))]
pub struct NewOrderBody {
    /// Must be the caller's own number, when it is sent at all.
    #[schema(minimum = 1)]
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
#[schema(as = NewShipment, examples(json!({"carrier": "Mule Express", "tracking": "MX-4711"})))]
pub struct NewShipmentBody {
    #[schema(required, schema_with = line::<1, 100>)]
    carrier: Option<String>,
    #[schema(required, schema_with = line::<1, 100>)]
    tracking: Option<String>,
}

impl Input for NewShipmentBody {
    type Checked = Shipment;

    fn check(self, faults: &mut Faults) -> Option<Shipment> {
        let carrier = faults.parse("carrier", self.carrier, |text| text.parse::<Label>());
        let tracking = faults.parse("tracking", self.tracking, |text| text.parse::<Label>());
        Some(Shipment { carrier: carrier?.into(), tracking: tracking?.into() })
    }
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

    #[test]
    fn every_wrong_field_of_the_largest_order_is_named() {
        for line in [r#"{"productId":"a","quantity":"b"}"#, r#"{"productId":0,"quantity":0}"#] {
            let lines = vec![line; 100].join(",");
            let named = faults(&format!(r#"{{"userId":"x","items":[{lines}],"expectedTotal":"1"}}"#));
            assert!(named.contains("userId") && named.contains("expectedTotal"), "{named}");
            assert!(named.contains("items[99].productId") && named.contains("items[99].quantity"), "{named}");
        }
    }

    #[test]
    fn fields_that_nobody_knows_are_named_up_to_a_bound() {
        let strangers: Vec<String> = (0..1000).map(|number| format!(r#""field{number}":1"#)).collect();
        let named = faults(&format!("{{{}}}", strangers.join(",")));
        assert_eq!(named.matches("field").count(), kit::faults::FAULTS_MAX);
    }
}
