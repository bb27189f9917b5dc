//! A partition of which too much is in hand is fetched no further, until it goes on or another host has it.

use std::{collections::BTreeMap, time::Duration};

use plaza_tests::{
    Host,
    databases::Databases,
    kafka,
    letters::{Letters, TOPIC},
    until, until_within,
};

/// More than a host has in hand of a partition.
const EVENTS: i64 = 1_200;

/// What a subscriber is behind when it has taken none of them; the host learns of the last ones late.
const BEHIND: i64 = 1_000;

/// A key that was parked for long is tried rarely, and then its events come one by one.
const RECOVERY: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_was_paused_goes_on_when_it_comes_back_from_another_host() {
    let Some(broker) = crate::killable("a_partition_that_was_paused_goes_on_when_it_comes_back") else { return };
    let brokers = broker.address();
    tokio::task::block_in_place(|| kafka::make_topic(&brokers, TOPIC, 2));
    let setup = || Letters::setup().argument("--kafka").argument(&brokers);
    let letters = tokio::task::block_in_place(|| Letters::on(setup()));
    let keys = a_key_of_each_partition(&letters, &brokers).await;
    for key in keys.values() {
        letters.answers("lamps", key, "retry the bulb is hot").await;
        letters.publish(key, 1..EVENTS).await;
    }
    until("both partitions are behind", async || (partitions_behind(&letters.host).await == 2).then_some(())).await;
    until("both keys are parked", async || {
        (crate::metric(&letters.host, "plaza_events_parked", "component=\"lamps\"").await == 2.0).then_some(())
    })
    .await;

    let url = letters.host.setup().state().database_owner_url();
    let other = tokio::task::block_in_place(|| setup().argument("--database-url").argument(&url).start());
    until("the other host has one of them", async || {
        (partitions_behind(&other).await == 1 && partitions_behind(&letters.host).await == 1).then_some(())
    })
    .await;
    let ended = tokio::task::block_in_place(|| other.stop());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    until("it is back", async || (partitions_behind(&letters.host).await == 2).then_some(())).await;

    for key in keys.values() {
        letters.answers("lamps", key, "take").await;
    }
    let all: Vec<i64> = (0..EVENTS).collect();
    for key in keys.values() {
        until_within(RECOVERY, &format!("all events of {key} have had their effect"), async || {
            let taken = format!("SELECT count(*) FROM taken WHERE key = '{key}'");
            (Databases::of(&letters.host).number("lamps_database", &taken).await == EVENTS).then_some(())
        })
        .await;
        assert_eq!(letters.effects("lamps", key).await, all);
    }
}

/// Publishes one event each of some keys, and returns by partition one that came there.
async fn a_key_of_each_partition(letters: &Letters, brokers: &str) -> BTreeMap<i32, String> {
    for number in 0..16 {
        letters.publish(&format!("desk-{number}"), 0..1).await;
    }
    let records = until("they stand on the topic", async || {
        let records = kafka::all_of(brokers, TOPIC).await;
        (records.len() == 16).then_some(records)
    })
    .await;
    let keys: BTreeMap<i32, String> = records.into_iter().map(|record| (record.partition, record.key)).collect();
    assert_eq!(keys.len(), 2, "16 keys are in both partitions");
    keys
}

/// Partitions of a host that are far behind.
async fn partitions_behind(host: &Host) -> usize {
    let metrics = host.control().get("/metrics").await.expect(200).text();
    let lags = metrics.lines().filter(|line| line.starts_with("plaza_events_lag{component=\"lamps\""));
    lags.filter_map(|line| line.rsplit(' ').next()?.parse::<i64>().ok()).filter(|lag| *lag >= BEHIND).count()
}
