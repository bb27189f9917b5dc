//! What nobody can take goes to the dead letters, with the reason, and what comes after it goes on.

use std::time::Duration;

use plaza_tests::{
    databases::Databases,
    invariants,
    kafka::{self, Record},
    shop::id_of,
    until,
};
use serde_json::json;

use crate::{metric, shared};

const DEAD: &str = "order-events.payments.dlq";

/// The dead letters with this key, once there are so many.
async fn dead_letters(key: &str, count: usize) -> Vec<Record> {
    until(&format!("{count} dead letters have the key {key}"), async || {
        let all = kafka::all_of(&shared().brokers, DEAD).await;
        let mine: Vec<Record> = all.into_iter().filter(|record| record.key == key).collect();
        (mine.len() >= count).then_some(mine)
    })
    .await
}

#[tokio::test]
async fn what_cannot_be_read_goes_to_the_dead_letters_and_what_follows_it_goes_on() {
    let (shop, brokers) = (&shared().shop, &shared().brokers);
    let key = "letters-unreadable";
    let sound = [
        ("ce_id", "0c9be5ae-5a63-4b7f-a6f5-94d2b5a3b0a1"),
        ("ce_source", "urn:elsewhere"),
        ("ce_type", "ORDER_CREATED"),
    ];
    let before = metric(&shop.host, "plaza_events_dead_letters_total", "component=\"payments\"").await;
    kafka::publish(brokers, "order-events", key, b"{\"type\":", &sound).await;
    kafka::publish(brokers, "order-events", key, b"{}", &sound[1..]).await;
    kafka::publish(brokers, "order-events", key, b"{}", &[("ce_id", "7"), sound[1], sound[2]]).await;

    let letters = dead_letters(key, 3).await;
    let reasons: Vec<&str> = letters.iter().map(|letter| letter.headers["dlq_reason"].as_str()).collect();
    assert!(reasons[0].contains("not JSON"), "{reasons:?}");
    assert!(reasons[1].contains("`ce_id` is missing"), "{reasons:?}");
    assert!(reasons[2].contains("not a UUID"), "{reasons:?}");
    let first = &letters[0];
    assert_eq!((first.value.as_str(), first.headers["ce_id"].as_str()), ("{\"type\":", sound[0].1), "as it came");
    assert_eq!(
        (first.headers["dlq_topic"].as_str(), first.headers["dlq_component"].as_str()),
        ("order-events", "payments")
    );
    assert!(first.headers["dlq_offset"].parse::<i64>().is_ok() && first.headers["dlq_time"].ends_with('Z'));
    until("they are counted", async || {
        let after = metric(&shop.host, "plaza_events_dead_letters_total", "component=\"payments\"").await;
        (after >= before + 3.0).then_some(())
    })
    .await;

    let (product, customer) = (shop.product("1.00", 100).await, shop.customer().await);
    // Enough to be in every partition, hence behind what could not be read.
    for _ in 0..30 {
        let order = id_of(&customer.order(&[(product, 1)]).await);
        customer.payment_of(order).await;
    }
}

#[tokio::test]
async fn what_is_as_large_as_a_broker_takes_is_among_the_dead_letters_too() {
    let brokers = &shared().brokers;
    // As they come, brokers take 1,048,588 bytes, and a letter has at least 150 more than the message that it was.
    for (key, bytes) in [("letters-large", 1_020_000), ("letters-largest", 1_048_450)] {
        kafka::publish(brokers, "order-events", key, &vec![b'x'; bytes], &[]).await;
    }
    let whole = dead_letters("letters-large", 1).await.remove(0);
    assert_eq!((whole.value.len(), whole.headers.get("dlq_cut")), (1_020_000, None));
    let cut = dead_letters("letters-largest", 1).await.remove(0);
    assert_eq!(cut.value.len(), 65_536);
    assert!(cut.headers["dlq_cut"].contains("of a value of 1048450 bytes 65536 are kept"), "{:?}", cut.headers);
    assert!(cut.headers["dlq_reason"].contains("`ce_id` is missing"), "{:?}", cut.headers);
}

#[tokio::test]
async fn what_a_subscriber_rejects_goes_to_its_dead_letters_alone() {
    let (shop, brokers) = (&shared().shop, &shared().brokers);
    let key = "letters-rejected";
    let headers = [
        ("ce_id", "3f0d3ab2-93b7-4a9c-9f4f-1f6b8f7a6f10"),
        ("ce_source", "urn:elsewhere"),
        ("ce_type", "ORDER_CREATED"),
    ];
    // Well-formed, but an order without anything that a payment needs.
    let value = json!({"type": "ORDER_CREATED", "data": {"orderId": "seven"}}).to_string();
    kafka::publish(brokers, "order-events", key, value.as_bytes(), &headers).await;
    let letter = dead_letters(key, 1).await.remove(0);
    assert_eq!((&letter.value, letter.headers["ce_id"].as_str()), (&value, headers[0].1));
    assert!(!letter.headers["dlq_reason"].is_empty());
    shop.host.stderr().line_with("an event was rejected and is kept in the dead letters");
    // Who asks the nine rules sees it as well, if the brokers are named.
    let report = invariants::ask(&Databases::of(&shop.host), Some(brokers), Duration::ZERO).await.unwrap();
    let place = format!("event {} lies on {DEAD} at {}/{}", headers[0].1, letter.partition, letter.offset);
    assert!(report.finding(5).is_some_and(|finding| finding.broken.contains(&place)), "no {place:?} in\n{report}");
    // One that was replayed and taken stays on its topic, and breaks no rule any more.
    let taken = format!(
        "INSERT INTO replayed_letters (topic, partition, position, at, taken_at)
         VALUES ('{DEAD}', {}, {}, to_timestamp({} / 1000.0), now())",
        letter.partition, letter.offset, letter.at_ms
    );
    Databases::of(&shop.host).execute("plaza", &taken).await;
    let report = invariants::ask(&Databases::of(&shop.host), Some(brokers), Duration::ZERO).await.unwrap();
    assert!(report.finding(5).is_some_and(|finding| !finding.broken.contains(&place)), "{place:?} in\n{report}");
    // `products` heeds cancellations alone, so it had nothing to reject.
    until("the other subscriber has taken it too", async || {
        (metric(&shop.host, "plaza_events_lag", "component=\"products\"").await == 0.0).then_some(())
    })
    .await;
    let others = kafka::all_of(brokers, "order-events.products.dlq").await;
    assert!(others.iter().all(|letter| letter.key != key), "{others:?}");
}
