//! Dead letters on Kafka, looked at and replayed by the operator.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use plaza_tests::{
    broker::Broker,
    kafka,
    letters::{Letters, TOPIC},
    until,
};

const DEAD: &str = "desk-events.lamps.dlq";

fn on(broker: &Broker) -> Letters {
    Letters::on(Letters::setup().argument("--kafka").argument(&broker.address()))
}

/// The broker and the application of the tests that kill nothing.
fn shared() -> Option<&'static (Broker, Letters)> {
    static SHARED: LazyLock<Option<(Broker, Letters)>> = LazyLock::new(|| {
        let broker = crate::killable("the tests of replays")?;
        let letters = on(&broker);
        Some((broker, letters))
    });
    SHARED.as_ref()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_event_is_gone_from_the_list_once_it_was_taken_and_stays_on_its_topic() {
    let Some((broker, letters)) = shared() else { return };
    let key = "desk-on-a-topic";
    let name = letters.rejected("lamps", key).await;
    assert!(name.starts_with(&format!("{DEAD}:")), "{name} says where it is");
    let shown = letters.host.operate(&["events", "show", &name]).await.expect().text;
    for part in [
        "component    lamps",
        "source       /desks",
        "traceparent  00-trace",
        "reason       there is no such desk",
        "header       ce_specversion: 1.0",
        "header       dlq_topic: desk-events",
        "value\n{\n  \"type\": \"DESK_MOVED\",\n  \"data\": {\n    \"number\": 1\n  }\n}",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }

    letters.answers("lamps", key, "reject nor is there now").await;
    letters.replay(&[&name]).await.refused(&["rejected again: nor is there now", "0 taken, 1 left"]);
    let all = letters.list(&["--component", "lamps", "--topic", TOPIC]).await;
    let mine: Vec<_> = all.iter().filter(|letter| letter["key"] == key).collect();
    assert_eq!(mine.len(), 1, "the same one, and no second");
    assert_eq!((&mine[0]["reason"], &mine[0]["replays"]), (&"nor is there now".into(), &1.into()));

    letters.answers("lamps", key, "retry a moment").await;
    letters.replay(&[&name]).await.refused(&["to come later: a moment"]);
    letters.answers("lamps", key, "take").await;
    letters.replay(&[&name]).await.expect();
    assert_eq!(letters.effects("lamps", key).await, [1]);
    assert_eq!(letters.deliveries("desks", key).await, 1, "the other component heard of it once");
    letters.names("lamps", key, 0).await;
    letters.replay(&[&name]).await.refused(&["there is no such dead letter"]);
    let kept = kafka::all_of(&broker.address(), DEAD).await;
    assert_eq!(kept.iter().filter(|record| record.key == key).count(), 1, "the topic keeps it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_noted_of_letters_is_forgotten_once_their_topic_keeps_none() {
    let Some(broker) = crate::killable("the test of an emptied topic") else { return };
    let (letters, key) = (on(&broker), "desk-forgotten");
    let name = letters.rejected("lamps", key).await;
    letters.replay(&[&name]).await.refused(&["rejected again"]);
    let noted = "SELECT count(*) FROM replayed_letters";
    assert_eq!(letters.databases.number("plaza", noted).await, 1);
    kafka::empty(&broker.address(), DEAD).await;
    letters.names("lamps", key, 0).await;
    assert_eq!(letters.databases.number("plaza", noted).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_shown_and_not_replayed() {
    // Another component hears of it as well, so whoever replays all would meet it.
    let Some(broker) = crate::killable("what_cannot_be_read_is_shown_and_not_replayed") else { return };
    let letters = on(&broker);
    let key = "desk-unreadable";
    kafka::publish(&broker.address(), TOPIC, key, b"{\"type\":\x1b\xff", &[("ce_type", "DESK_MOVED")]).await;
    let name = letters.names("lamps", key, 1).await.remove(0);
    let listed = letters.host.operate(&["events", "list", "--component", "lamps"]).await.expect().text;
    assert!(listed.lines().any(|line| line.contains(key) && line.contains("cannot be read")), "{listed}");
    let shown = letters.host.operate(&["events", "show", &name]).await.expect().text;
    for part in ["fault        the header `ce_id` is missing", "value, which is no text\n{\\\"type\\\":\\x1b\\xff"] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let advice = ["not replayed", "`ce_id` is missing", "publish a mended one on desk-events"];
    letters.replay(&[&name]).await.refused(&advice);
    assert_eq!(letters.deliveries("lamps", key).await, 0);
    // A place where nothing is, and topics that hold no dead letters.
    for name in
        ["desk-events.lamps.dlq:0:999999", "desk-events.lamps.dlq:99:0", "gone.lamps.dlq:0:0", "desk-events:0:0"]
    {
        letters.host.operate(&["events", "show", name]).await.refused(&["404", "no dead letter"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_component_are_replayed_in_the_order_of_their_keys_from_every_partition() {
    let Some((_, letters)) = shared() else { return };
    let keys: Vec<String> = (0..12).map(|number| format!("desk-every-{number}")).collect();
    for key in &keys {
        letters.answers("desks", key, "reject not yet").await;
        letters.publish(key, 0..20).await;
    }
    let names = letters.names("desks", &keys[0], 20).await;
    for key in &keys {
        letters.names("desks", key, 20).await;
        letters.answers("desks", key, "take").await;
    }
    let partition = |name: &String| name.rsplit(':').nth(1).map(str::to_owned);
    assert!(names.iter().all(|name| partition(name) == partition(&names[0])), "a key has one partition: {names:?}");
    letters.answers("desks", &keys[3], "retry hold on").await;
    let told = letters.replay(&["--component", "desks", "--all"]).await;
    told.refused(&["220 taken, 20 left", "one of the same key before it is to come later"]);
    letters.answers("desks", &keys[3], "take").await;
    letters.replay(&["--component", "desks", "--all"]).await.expect();
    let all: Vec<i64> = (0..20).collect();
    for key in &keys {
        assert_eq!(letters.effects("desks", key).await, all, "{key}");
    }
    assert!(letters.list(&["--component", "desks"]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_dead_letters_are_listed_within_seconds_and_little_memory() {
    let Some(broker) = crate::killable("a_hundred_thousand_dead_letters") else { return };
    let letters = on(&broker);
    until("the topic is there", async || (kafka::partitions(&broker.address(), DEAD) > 0).then_some(())).await;
    let headers = [("dlq_component", "lamps"), ("dlq_topic", TOPIC), ("dlq_reason", "so many")];
    kafka::publish_many(&broker.address(), DEAD, 0..100_000, &headers).await;
    let before = resident_kib(letters.host.process());
    let start = Instant::now();
    let names = letters.list(&["--limit", "1000"]).await;
    let took = start.elapsed();
    let grown = resident_kib(letters.host.process()).saturating_sub(before);
    println!("1000 of 100,000 dead letters in {took:?}, {grown} KiB more");
    assert_eq!(names.len(), 1000);
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(grown < 64 * 1024, "{grown} KiB");
    let newest = names[0]["key"].as_str().and_then(|key| key.strip_prefix("key-")).map(str::parse::<u32>);
    assert!(newest.is_some_and(|number| number.is_ok_and(|number| number > 98_000)), "{}", names[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_away_are_said_to_be_and_older_letters_are_still_there() {
    let Some(mut broker) = crate::killable("brokers_that_are_away") else { return };
    let letters = Letters::on(Letters::setup());
    let before = letters.rejected("lamps", "desk-before-kafka").await;
    let setup = letters.host.stop().setup.argument("--kafka").argument(&broker.address());
    let letters = Letters::on(setup);
    let after = letters.rejected("lamps", "desk-after").await;
    let names: Vec<_> = letters.list(&[]).await.into_iter().map(|letter| letter["name"].clone()).collect();
    assert_eq!(names, [after.as_str(), before.as_str()], "those of the table and those of the topics");
    broker.kill();
    letters.answers("lamps", "desk-before-kafka", "take").await;
    letters.replay(&[&before]).await.expect();
    letters.host.operate(&["events", "list"]).await.refused(&["503", "Kafka does not answer"]);
    letters.host.operate(&["events", "show", &after]).await.refused(&["503", "Kafka does not answer"]);
    letters.replay(&[&after]).await.refused(&["not replayed: Kafka does not answer", "0 taken, 1 left"]);
    broker.start_again();
    letters.answers("lamps", "desk-after", "take").await;
    until("it is replayed", async || letters.replay(&[&after]).await.went_through.then_some(())).await;
    assert_eq!(letters.effects("lamps", "desk-after").await, [1]);
}

/// What a process has in memory.
fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line of it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
