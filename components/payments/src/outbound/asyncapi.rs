//! What the payments tell others, described.

use kit::asyncapi::{self, Event, Topic};
use serde_json::{Value, json};

use crate::domain::event::{PAYMENT_FAILED, PAYMENT_REFUNDED, PAYMENT_SUCCEEDED, PaymentData, TOPIC};

/// The AsyncAPI document of the payments, as it is committed.
pub fn document() -> String {
    let event = |kind, meaning, example| Event::of::<PaymentData<'static>>(kind, meaning, example);
    asyncapi::document(&Topic {
        name: TOPIC,
        publisher: "payments",
        description: "How payments end, and what goes back. The key names the order that a payment is for.",
        key_prefix: "order-",
        events: vec![
            event(PAYMENT_SUCCEEDED, "The money was taken.", example(3, 0.0, None)),
            event(PAYMENT_FAILED, "The payment was given up after five declines.", example(7, 0.0, None)),
            event(PAYMENT_REFUNDED, "Money went back.", example(4, 39.98, Some(2))).always_with("refundId"),
        ],
    })
}

fn example(version: i64, refunded: f64, refund_id: Option<i64>) -> Value {
    let mut data = json!({
        "paymentId": 5,
        "orderId": 17,
        "userId": 7,
        "amount": 39.98,
        "currency": "EUR",
        "refunded": refunded,
        "version": version,
    });
    if let (Some(id), Some(fields)) = (refund_id, data.as_object_mut()) {
        fields.insert("refundId".to_owned(), id.into());
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
