//! What the orders tell others, described.

use kit::asyncapi::{self, Event, Topic};
use serde_json::{Value, json};

use crate::domain::event::{ORDER_CREATED, OrderData, TOPIC};

/// The AsyncAPI document of the orders, as it is committed.
pub fn document() -> String {
    let event = |kind, meaning, version| Event::of::<OrderData<'static>>(kind, meaning, example(version, None));
    asyncapi::document(&Topic {
        name: TOPIC,
        publisher: "orders",
        description: "Every step of every order, from placed to delivered or cancelled. Events of one order come in the \
                      order of its versions.",
        key_prefix: "order-",
        events: vec![
            event(ORDER_CREATED, "An order was placed. Its pieces are held; its payment is awaited.", 1),
            event("ORDER_PAID", "The order was paid, and its pieces have left the shelf.", 2),
            event("ORDER_SHIPPED", "The order was handed to a carrier.", 3),
            event("ORDER_DELIVERED", "The order arrived.", 4),
            Event::of::<OrderData<'static>>(
                "ORDER_CANCELLED",
                "The order ended without a sale. Its pieces go back, and so does what was paid.",
                example(2, Some("expired")),
            )
            .always_with("reason"),
        ],
    })
}

fn example(version: i64, reason: Option<&str>) -> Value {
    let mut data = json!({
        "orderId": 17,
        "userId": 7,
        "totalAmount": 39.98,
        "currency": "EUR",
        "items": [{ "productId": 3, "name": "Teapot", "quantity": 2, "price": 19.99 }],
        "createdAt": "2026-11-24T09:30:00.123456Z",
        "version": version,
        "reservationId": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    });
    if let (Some(reason), Some(fields)) = (reason, data.as_object_mut()) {
        fields.insert("reason".to_owned(), reason.into());
    }
    data
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_document_says_what_the_code_does() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/asyncapi.json");
        kit::openapi::compare(path, &super::document()).unwrap();
    }
}
