//! What a component rejects over HTTP.

use plaza_tests::until;
use serde_json::Value;

use crate::{Stage, started};

#[tokio::test]
async fn what_a_component_rejects_lies_among_the_dead_letters_and_is_replayed_from_there() {
    let stage = Stage::set();
    let relay = started(stage.relay()).await;
    let key = "nobody's";
    let statement = "INSERT INTO outbox (topic, key, type, data)
        VALUES ('order-events', 'nobody''s', 'ORDER_CREATED', '{\"orderId\": \"seven\"}')";
    stage.databases.execute("orders_database", statement).await;
    let letters = async || {
        let listed = relay.operate(&["events", "list", "--json", "--component", "payments"]).await.expect().text;
        let listed: Value = serde_json::from_str(&listed).expect("JSON");
        listed["letters"].as_array().expect("a list").clone()
    };
    let letter = until("the event is among the dead letters", async || letters().await.pop()).await;
    assert_eq!(
        (&letter["key"], &letter["topic"], &letter["type"]),
        (&key.into(), &"order-events".into(), &"ORDER_CREATED".into())
    );
    let reason = letter["reason"].as_str().expect("a reason").to_owned();
    // In the component's own words, not in those of HTTP.
    assert!(!reason.is_empty() && !reason.contains("422"), "{reason}");
    stage.until_all_is_told().await;

    let name = letter["name"].as_str().expect("a name");
    let shown = relay.operate(&["events", "show", name]).await.expect().text;
    assert!(shown.contains(key) && shown.contains("seven"), "{shown}");
    relay.operate(&["events", "replay", name]).await.refused(&["rejected again", &reason]);
    assert_eq!(letters().await.len(), 1);

    // What comes after it goes on.
    let (ada, order) = stage.order().await;
    ada.pay(order).await;
}
