//! What the products tell others, described.

use kit::asyncapi::{self, Event, Topic};
use serde_json::json;

use crate::domain::stock::{STOCK_LOW, StockLow, TOPIC};

/// The AsyncAPI document of the products, as it is committed.
pub fn document() -> String {
    let example = json!({ "productId": 3, "name": "Teapot", "stock": 4, "version": 1 });
    asyncapi::document(&Topic {
        name: TOPIC,
        publisher: "products",
        description: "What becomes scarce.",
        key_prefix: "product-",
        events: vec![Event::of::<StockLow>(
            STOCK_LOW,
            "Fewer than five pieces are left to order; told once each time a product falls below that.",
            example,
        )],
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_document_says_what_the_code_does() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/asyncapi.json");
        assert_eq!(kit::openapi::compare(path, &super::document()), Ok(()));
    }
}
