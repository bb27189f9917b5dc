//! What somebody sees who uses the topics and knows nothing of Plaza.

use std::process::Command;

use plaza_tests::{
    databases::Databases,
    kafka::{self, Record},
    shop::id_of,
    until,
};
use serde_json::{Value, json};

use crate::shared;

/// The trace of a click, and the span that made it.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// The messages of one key on a topic, once there are so many.
pub async fn messages_of(topic: &str, key: &str, count: usize) -> Vec<Record> {
    until(&format!("{count} messages with the key {key} are on {topic}"), async || {
        let all = kafka::all_of(&shared().brokers, topic).await;
        let mine: Vec<Record> = all.into_iter().filter(|record| record.key == key).collect();
        (mine.len() >= count).then_some(mine)
    })
    .await
}

#[tokio::test]
async fn an_order_becomes_paid_and_its_events_stand_on_the_topics_as_documented() {
    let shop = &shared().shop;
    let (product, customer) = (shop.product("19.99", 10).await, shop.customer().await);
    let body = plaza_tests::shop::order_body(&[(product, 2)]);
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let asking = customer.client.post("/api/v1/orders", &body).key("an-order-seen-from-outside");
    let order = id_of(&asking.header("traceparent", &parent).await.expect(201).json());
    customer.pay(order).await;

    let key = format!("order-{order}");
    let events = messages_of("order-events", &key, 2).await;
    let kinds: Vec<&str> = events.iter().map(|event| event.headers["ce_type"].as_str()).collect();
    assert_eq!(kinds, ["ORDER_CREATED", "ORDER_PAID"], "in order");
    let payment = messages_of("payment-events", &key, 1).await.remove(0);
    assert_eq!(payment.headers["ce_type"], "PAYMENT_SUCCEEDED");

    let created = &events[0];
    let value: Value = serde_json::from_str(&created.value).expect("JSON");
    assert_eq!(value["type"], "ORDER_CREATED");
    let data = &value["data"];
    assert_eq!((&data["orderId"], &data["userId"]), (&json!(order), &json!(customer.id)));
    assert_eq!(data["totalAmount"].to_string(), "39.98");
    let item = &data["items"][0];
    assert_eq!((&item["productId"], &item["quantity"]), (&json!(product), &json!(2)));
    assert!(data["createdAt"].is_string() && data["currency"] == "EUR" && data["version"].is_number(), "{data}");

    let names: Vec<&str> = created.headers.keys().map(String::as_str).collect();
    let documented = ["ce_id", "ce_source", "ce_specversion", "ce_time", "ce_type", "content-type", "traceparent"];
    assert_eq!(names, documented);
    assert_eq!(created.headers["ce_specversion"], "1.0");
    assert_eq!(created.headers["ce_source"], "/orders");
    assert_eq!(created.headers["content-type"], "application/json");
    assert!(created.headers["ce_time"].ends_with('Z'));
    let query = format!(
        "SELECT id::text FROM outbox WHERE key = 'order-{order}' AND type = 'ORDER_CREATED' AND published_at IS NOT NULL"
    );
    let databases = Databases::of(&shop.host);
    let row = until("the row is marked", async || {
        databases.rows::<(String,)>("orders_database", &query).await.into_iter().next()
    })
    .await;
    assert_eq!(created.headers["ce_id"], row.0);
    let trace = &created.headers["traceparent"];
    assert!(trace.contains(TRACE), "{trace}: the trace of who ordered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_are_made_with_the_partitions_that_were_asked_for() {
    let Some(broker) = crate::killable("topics_are_made_with_the_partitions_that_were_asked_for") else { return };
    let partitions = |topic: &str| tokio::task::block_in_place(|| kafka::partitions(&broker.address(), topic));
    // This one is there before: it is used as it is.
    tokio::task::block_in_place(|| kafka::make_topic(&broker.address(), "payment-events", 2));
    let setup = crate::on(&broker.address()).argument("--kafka-partitions").argument("5");
    let host = tokio::task::block_in_place(|| setup.start());
    for topic in ["order-events", "order-events.payments.dlq", "order-events.products.dlq", "payment-events.orders.dlq"]
    {
        until(&format!("{topic} has five partitions"), async || (partitions(topic) == 5).then_some(())).await;
    }
    host.stderr().line_with("a topic has another number of partitions");
    assert_eq!(partitions("payment-events"), 2);
}

#[tokio::test]
async fn kcat_prints_key_value_and_headers() {
    let shop = &shared().shop;
    let (product, customer) = (shop.product("5.00", 10).await, shop.customer().await);
    let order = id_of(&customer.order(&[(product, 1)]).await);
    messages_of("order-events", &format!("order-{order}"), 1).await;
    let format = "%k|%h|%s\\n";
    let arguments = ["-b", &shared().brokers, "-C", "-t", "order-events", "-e", "-q", "-f", format];
    let output = Command::new("kcat").args(arguments).output().expect("kcat is installed (apt install kcat)");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.starts_with(&format!("order-{order}|"))).expect("a line for the order");
    for part in
        ["ce_specversion=1.0", "ce_type=ORDER_CREATED", "ce_source=/orders", r#"{"type":"ORDER_CREATED","data":"#]
    {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}

#[tokio::test]
async fn what_a_foreign_producer_publishes_has_its_effect_once() {
    let shop = &shared().shop;
    let (product, customer) = (shop.product("7.00", 10).await, shop.customer().await);
    let order = id_of(&customer.order(&[(product, 1)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    // Told by somebody else that its payment has failed, the shop cancels the order.
    let foreign = json!({"type": "PAYMENT_FAILED", "data": {
        "paymentId": payment, "orderId": order, "amount": 7.00, "currency": "EUR", "version": 1,
        "reason": "declined", "createdAt": "2026-01-01T00:00:00Z",
    }});
    let id = "6d1a4f6e-0b5f-4a39-8c5a-1f2f0f3c9b11";
    let headers =
        [("ce_id", id), ("ce_source", "urn:elsewhere"), ("ce_type", "PAYMENT_FAILED"), ("ce_specversion", "1.0")];
    let key = format!("order-{order}");
    let (brokers, value) = (&shared().brokers, foreign.to_string());
    kafka::publish(brokers, "payment-events", &key, value.as_bytes(), &headers).await;
    let (partition, second) = kafka::publish(brokers, "payment-events", &key, value.as_bytes(), &headers).await;
    let order = customer.order_becomes(order, "cancelled").await;
    assert_eq!(order["reason"], "payment_failed", "{order}");
    let databases = Databases::of(&shop.host);
    // The lag is a second old; the group's position says what is done.
    until("the second copy has been taken too", async || {
        let position = kafka::position(brokers, "orders", "payment-events", partition).await;
        position.is_some_and(|position| position > second).then_some(())
    })
    .await;
    let steps =
        format!("SELECT count(*) FROM order_history WHERE order_id = {} AND status = 'cancelled'", id_of(&order));
    assert_eq!(databases.number("orders_database", &steps).await, 1);
}
