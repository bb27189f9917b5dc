//! An event that is larger than the brokers take.

use plaza_tests::{
    kafka,
    letters::{Letters, TOPIC},
    until,
};

use crate::{killable, metric, number};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_too_large_waits_with_its_key_and_the_operator_is_told_until_the_topic_takes_it() {
    let Some(broker) = killable("an_event_that_is_too_large_waits_with_its_key_and_the_operator_is_told") else {
        return;
    };
    let brokers = broker.address();
    tokio::task::block_in_place(|| kafka::make_topic(&brokers, TOPIC, 2));
    kafka::limit_messages(&brokers, TOPIC, 20_000).await;
    let setup = Letters::setup().argument("--kafka").argument(&brokers);
    let letters = tokio::task::block_in_place(|| Letters::on(setup));
    letters.publish("desk-large", 1..2).await;
    publish_large(&letters, "desk-large", 2, 30_000).await;
    letters.publish("desk-large", 3..4).await;
    letters.publish("desk-small", 1..2).await;

    let refused = async || metric(&letters.host, "plaza_outbox_refused", "component=\"desks\"").await;
    let taken = async |key: &str| letters.effects("lamps", key).await;
    until("others go on", async || (taken("desk-small").await == [1]).then_some(())).await;
    until("what is before it goes on", async || (taken("desk-large").await == [1]).then_some(())).await;
    until("the operator sees that its key waits", async || (refused().await == 1.0).then_some(())).await;
    assert_eq!(letters.host.status().await["events"], "degraded");
    let told = letters.host.stderr().line_with(r#""event.key":"desk-large""#);
    assert!(told.contains("an event cannot be published") && told.contains("max.message.bytes"), "{told}");

    kafka::limit_messages(&brokers, TOPIC, 1_000_000).await;
    until("its key goes on, in order", async || (taken("desk-large").await == [1, 2, 3]).then_some(())).await;
    until("all is well", async || (refused().await == 0.0).then_some(())).await;
    assert_eq!(letters.host.status().await["events"], "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_larger_than_brokers_take_unasked_is_overtaken_by_nothing() {
    let Some(broker) = killable("an_event_that_is_larger_than_brokers_take_unasked_is_overtaken_by_nothing") else {
        return;
    };
    let brokers = broker.address();
    let setup = Letters::setup().argument("--kafka").argument(&brokers);
    let letters = tokio::task::block_in_place(|| Letters::on(setup));
    letters.publish("desk-1", 1..4).await;
    until("the topic is there", async || (letters.effects("lamps", "desk-1").await == [1, 2, 3]).then_some(())).await;
    publish_large(&letters, "desk-1", 4, 1_200_000).await;
    letters.publish("desk-1", 5..8).await;
    let refused = async || metric(&letters.host, "plaza_outbox_refused", "component=\"desks\"").await;
    until("the operator sees that its key waits", async || (refused().await == 1.0).then_some(())).await;
    kafka::limit_messages(&brokers, TOPIC, 2_000_000).await;
    let all: Vec<i64> = (1..8).collect();
    until("all have come", async || (letters.effects("lamps", "desk-1").await.len() == all.len()).then_some(())).await;
    assert_eq!(letters.effects("lamps", "desk-1").await, all);
    let on_topic: Vec<i64> = kafka::all_of(&brokers, TOPIC).await.iter().map(number).collect();
    assert_eq!(on_topic, all, "each once, in order");
}

/// Publishes one event of a key, with this number and so many bytes.
async fn publish_large(letters: &Letters, key: &str, number: i64, bytes: usize) {
    let large = format!(
        "INSERT INTO outbox (topic, key, type, data)
         VALUES ('{TOPIC}', '{key}', 'DESK_MOVED', jsonb_build_object('number', {number}, 'picture', repeat('x', {bytes})))"
    );
    letters.databases.execute("desks_database", &large).await;
}
