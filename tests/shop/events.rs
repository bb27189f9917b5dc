//! The events that the shop publishes are what the AsyncAPI document and the JSON Schemas say.

use std::collections::{BTreeMap, BTreeSet};

use plaza_tests::{
    databases::Databases,
    shop::{fresh_key, id_of},
};
use serde_json::{Value, json};

use crate::{schemas::sound, shop};

/// The databases of those who publish.
const PUBLISHERS: [&str; 3] = ["orders_database", "payments_database", "products_database"];

/// Makes everything happen that is ever told of.
async fn eventful_day() {
    let (admin, customer) = (shop().admin().await, shop().customer().await);
    let product = shop().product("19.99", 9).await;
    let order = id_of(&customer.order(&[(product, 2)]).await);
    customer.pay(order).await;
    let payment = id_of(&customer.payment_of(order).await);
    let refund = json!({"amount": 19.99, "reason": "One was broken"});
    admin.post(&format!("/api/v1/payments/{payment}/refunds"), &refund).key(&fresh_key()).await.expect(201);
    let shipment = json!({"carrier": "Mule", "tracking": "1"});
    admin.post(&format!("/api/v1/orders/{order}/ship"), &shipment).await.expect(200);
    admin.request("POST", &format!("/api/v1/orders/{order}/deliver")).await.expect(200);
    // Five declines end a payment, and with it its order; what is left of the product then is little.
    let hopeless = id_of(&customer.order(&[(product, 3)]).await);
    let payment = id_of(&customer.payment_of(hopeless).await);
    for _ in 0..5 {
        customer.confirm(payment, "tok_declined").await.expect(402);
    }
    customer.order_becomes(hopeless, "cancelled").await;
}

#[tokio::test]
async fn every_event_is_what_its_schema_says_and_every_documented_type_occurs() {
    eventful_day().await;
    let anyone = shop().anyone();
    let document = anyone.get("/asyncapi.json").await.expect(200).json();
    let mut validators = BTreeMap::new();
    let documented: BTreeSet<(String, String)> = document["channels"]
        .as_object()
        .expect("channels")
        .values()
        .flat_map(|channel| {
            let topic = channel["address"].as_str().expect("an address");
            channel["messages"].as_object().expect("messages").keys().map(|kind| (topic.to_owned(), kind.clone()))
        })
        .collect();
    for (_, kind) in &documented {
        let schema = anyone.get(&format!("/schemas/{kind}.json")).await.expect(200).json();
        validators.insert(kind.clone(), sound(&schema));
    }
    let seen = plaza_tests::until("everything was told of", async || {
        let rows = published().await;
        let kinds: BTreeSet<(String, String)> = rows.iter().map(|row| (row.0.clone(), row.2.clone())).collect();
        (kinds == documented).then_some(rows)
    })
    .await;
    for (topic, key, kind, data) in seen {
        let value = json!({ "type": kind, "data": serde_json::from_str::<Value>(&data).unwrap() });
        let faults: Vec<String> = validators[&kind].iter_errors(&value).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{topic}: {value}: {faults:?}");
        let pattern = &document["components"]["messages"][&kind]["bindings"]["kafka"]["key"];
        assert!(sound(pattern).is_valid(&json!(key)), "{kind} has the key {key}, not one like {pattern}");
    }
}

#[tokio::test]
async fn an_event_that_lacks_something_is_not_what_its_schema_says() {
    let schema = shop().anyone().get("/schemas/ORDER_CANCELLED.json").await.expect(200).json();
    let validator = sound(&schema);
    let example = schema["examples"][0].clone();
    assert!(validator.is_valid(&example), "{example}");
    for member in ["orderId", "totalAmount", "reason", "items"] {
        let mut lacking = example.clone();
        lacking["data"].as_object_mut().unwrap().remove(member);
        assert!(!validator.is_valid(&lacking), "{member} may be missing");
    }
    let mut more = example;
    more["data"]["later"] = json!("added");
    assert!(validator.is_valid(&more), "members may be added");
}

/// Every row of every outbox: topic, key, type and data.
async fn published() -> Vec<(String, String, String, String)> {
    let databases = Databases::of(&shop().host);
    let mut rows = Vec::new();
    for database in PUBLISHERS {
        rows.extend(databases.rows(database, "SELECT topic, key, type, data::text FROM outbox").await);
    }
    rows
}
