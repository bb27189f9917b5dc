//! An event that is larger than the brokers take.

use plaza_tests::{
    kafka,
    letters::{Letters, TOPIC},
    until,
};

use crate::{killable, metric};

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
    let large = format!(
        "INSERT INTO outbox (topic, key, type, data)
         VALUES ('{TOPIC}', 'desk-large', 'DESK_MOVED', jsonb_build_object('number', 2, 'picture', repeat('x', 30000)))"
    );
    letters.databases.execute("desks_database", &large).await;
    letters.publish("desk-large", 3..4).await;
    letters.publish("desk-small", 1..2).await;

    let refused = async || metric(&letters.host, "plaza_outbox_refused", "component=\"desks\"").await;
    let taken = async |key: &str| letters.effects("lamps", key).await;
    // A broker refuses what came to it in one piece with the large one, too; all that comes again by itself.
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
