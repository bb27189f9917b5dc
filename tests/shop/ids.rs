//! Ids in paths: what cannot be the id of anything names nothing, in every service.

use plaza_tests::shop::fresh_key;
use serde_json::{Value, json};

use crate::shop;

/// What is no number from 1, or a number that nothing has.
const NOTHING: [&str; 9] = ["teapot", "0", "-1", "+1", "01", "1.5", "999999999", "99999999999999999999", "%FF"];

#[tokio::test]
async fn an_id_that_cannot_exist_is_404_whatever_is_asked_of_it() {
    let admin = shop().admin().await;
    for id in NOTHING {
        for path in
            ["users/{}", "products/{}", "products/{}/movements", "orders/{}", "orders/{}/history", "payments/{}"]
        {
            admin.get(&at(path, id)).await.problem(404);
        }
        for path in ["orders/{}/cancel", "orders/{}/deliver"] {
            admin.request("POST", &at(path, id)).await.problem(404);
        }
        for (path, body) in [
            ("products/{}/stock", json!({"delta": 1, "reason": "count"})),
            ("orders/{}/ship", json!({"carrier": "Mule", "tracking": "1"})),
            ("payments/{}/confirm", json!({"token": "tok_ok"})),
            ("payments/{}/refunds", json!({"reason": "broken"})),
        ] {
            admin.post(&at(path, id), &body).key(&fresh_key()).await.problem(404);
        }
        for path in ["users/{}", "products/{}"] {
            admin.patch(&at(path, id), &json!({"name": "Ada"})).await.problem(404);
        }
        admin.request("DELETE", &at("products/{}", id)).await.problem(404);
    }
}

#[tokio::test]
async fn an_id_that_cannot_exist_is_404_to_customers_too() {
    let customer = shop().customer().await.client;
    for id in NOTHING {
        for path in ["users/{}", "products/{}", "orders/{}", "payments/{}"] {
            customer.get(&at(path, id)).await.problem(404);
        }
        let password: Value = json!({"current": "correct horse", "new": "another horse"});
        customer.request("PUT", &at("users/{}/password", id)).json(&password).await.problem(404);
    }
}

fn at(path: &str, id: &str) -> String {
    format!("/api/v1/{}", path.replace("{}", id))
}
