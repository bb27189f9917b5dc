//! What a component rejects is kept, shown to the operator, and given to it once more. The events stay in the host's process.

use std::time::Duration;

use plaza_tests::{
    artifact::stamped,
    hold::Hold,
    letters::{Letters, TOPIC},
    state::signal,
    until,
    wait::until_within,
};
use serde_json::json;
use tokio::sync::OnceCell;

/// The application of the tests that kill nothing.
async fn shared() -> &'static Letters {
    static SHARED: OnceCell<Letters> = OnceCell::const_new();
    SHARED
        .get_or_init(async || tokio::task::spawn_blocking(|| Letters::on(Letters::setup())).await.expect("it starts"))
        .await
}

#[tokio::test]
async fn a_rejected_event_is_listed_and_shown_and_gone_once_its_component_has_taken_it() {
    let letters = shared().await;
    let key = "desk-told";
    letters.answers("lamps", key, "reject \u{1b}[31mred").await;
    letters.publish(key, 7..8).await;
    let name = letters.names("lamps", key, 1).await.remove(0);

    let listed = letters.host.operate(&["events", "list"]).await.expect().text;
    let line = listed.lines().find(|line| line.contains(key)).expect("a line of it");
    for word in [&name, "lamps", "desk-events", "DESK_MOVED", "UTC", r"\u{1b}[31mred"] {
        assert!(line.contains(word), "{word} is not in {line}");
    }
    let shown = letters.host.operate(&["events", "show", &name]).await.expect().text;
    for part in ["traceparent  00-trace", "source       /desks", "replays      0", "{\n  \"type\": \"DESK_MOVED\","] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert!(!shown.contains('\u{1b}'), "a terminal would obey {shown:?}");

    letters.answers("lamps", key, "reject blue is no better").await;
    letters.replay(&[&name]).await.refused(&["rejected again: blue is no better", "0 taken, 1 left"]);
    let letter = letters.list(&["--component", "lamps"]).await.into_iter().find(|letter| letter["name"] == *name);
    let letter = letter.expect("it stays");
    assert_eq!((&letter["reason"], &letter["replays"]), (&"blue is no better".into(), &1.into()));

    letters.answers("lamps", key, "take").await;
    let done = letters.replay(&[&name]).await.expect().text;
    assert_eq!(done, format!("{name} taken\n1 taken, 0 left\n"));
    assert_eq!(letters.effects("lamps", key).await, [7]);
    assert_eq!(letters.deliveries("desks", key).await, 1, "the other component heard of it once");
    letters.names("lamps", key, 0).await;
    let gone = ["no dead letter", &name];
    letters.host.operate(&["events", "show", &name]).await.refused(&gone);
    letters.replay(&[&name]).await.refused(&["not replayed: there is no such dead letter", "0 taken, 1 left"]);
}

#[tokio::test]
async fn an_event_that_is_to_come_later_stays_and_the_operator_is_told() {
    let letters = shared().await;
    let name = letters.rejected("lamps", "desk-later").await;
    letters.answers("lamps", "desk-later", "retry the bulb is hot").await;
    letters.replay(&[&name]).await.refused(&["to come later", "the bulb is hot"]);
    assert_eq!(letters.names("lamps", "desk-later", 1).await, [name.as_str()]);
    let shown = letters.host.operate(&["events", "show", &name]).await.expect().text;
    assert!(shown.contains("there is no such desk") && shown.contains("replays      1"), "as it was: {shown}");
    letters.answers("lamps", "desk-later", "take").await;
    letters.replay(&[&name]).await.expect();
}

#[tokio::test]
async fn all_of_a_component_are_replayed_in_the_order_of_their_keys() {
    let letters = shared().await;
    let keys = ["desk-all-a", "desk-all-b", "desk-all-c"];
    for key in keys {
        letters.answers("desks", key, "reject not yet").await;
        letters.publish(key, 0..40).await;
    }
    for key in keys {
        letters.names("desks", key, 40).await;
    }
    letters.answers("desks", "desk-all-a", "take").await;
    letters.answers("desks", "desk-all-b", "retry hold on").await;
    letters.answers("desks", "desk-all-c", "take").await;
    let told = letters.replay(&["--component", "desks", "--topic", "desk-events", "--all"]).await;
    let told = told.refused(&["80 taken, 40 left", "one of the same key before it is to come later"]).text;
    assert_eq!(told.matches("to come later: ").count(), 1, "the component is asked once for a key: {told}");
    let all: Vec<i64> = (0..40).collect();
    assert_eq!(letters.effects("desks", keys[0]).await, all);
    assert_eq!(letters.effects("desks", keys[2]).await, all);
    letters.answers("desks", "desk-all-b", "take").await;
    letters.replay(&["--component", "desks", "--all"]).await.expect();
    assert_eq!(letters.effects("desks", keys[1]).await, all);
    assert_eq!(letters.list(&["--component", "desks"]).await.len(), 0);
    let none = letters.host.operate(&["events", "list", "--topic", "other-events"]).await.expect();
    assert_eq!(none.text, "no dead letters\n");
}

#[tokio::test]
async fn a_list_is_bounded_newest_first_and_says_that_there_is_more() {
    let letters = Letters::on(Letters::setup());
    letters.answers("lamps", "desk-many", "reject too many").await;
    letters.publish("desk-many", 0..60).await;
    let names = letters.names("lamps", "desk-many", 60).await;
    let some = letters.list(&["--limit", "3"]).await;
    let some: Vec<&str> = some.iter().filter_map(|letter| letter["name"].as_str()).collect();
    assert_eq!(some, names[..3], "the newest first");
    let by_number = |name: &String| name.parse::<i64>().expect("a number");
    assert!(names.iter().map(by_number).rev().is_sorted(), "{names:?}");
    let printed = letters.host.operate(&["events", "list"]).await.expect().text;
    assert_eq!(printed.lines().count(), 1 + 50 + 1, "{printed}");
    assert!(printed.ends_with("there are more; see further with --limit, --component or --topic\n"), "{printed}");
    letters.host.operate(&["events", "list", "--limit", "1001"]).await.refused(&["--limit"]);
    letters.host.control().get("/dead-letters?limit=0").await.expect(400);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_a_reason() {
    let letters = shared().await;
    letters.replay(&[]).await.refused(&["<NAME>"]);
    letters.replay(&["--all"]).await.refused(&["--component"]);
    letters.replay(&["17", "--component", "lamps", "--all"]).await.refused(&["cannot be used with"]);
    letters.host.operate(&["events", "show", "desk-events.lamps.dlq:0:1"]).await.refused(&["404"]);
    let control = letters.host.control();
    for order in [json!({}), json!({"names": ["1"], "component": "lamps"})] {
        control.post("/dead-letters/replay", &order).await.expect(400);
    }
    let without_database = crate::host();
    without_database.operate(&["events", "list"]).await.refused(&["has no database, so it has no events"]);
}

#[tokio::test]
async fn a_letter_that_is_replayed_twice_at_once_has_its_effect_once() {
    let letters = shared().await;
    let name = letters.rejected("lamps", "desk-twice").await;
    letters.answers("lamps", "desk-twice", "take").await;
    let name = [name.as_str()];
    let (one, other) = tokio::join!(letters.replay(&name), letters.replay(&name));
    assert!(one.went_through || other.went_through, "{one:?} {other:?}");
    assert_eq!(letters.effects("lamps", "desk-twice").await, [1]);
    letters.names("lamps", "desk-twice", 0).await;
}

#[tokio::test]
async fn a_crash_between_the_effect_and_its_note_leaves_the_letter_and_repeats_no_effect() {
    let letters = Letters::on(Letters::setup());
    let key = "desk-crash";
    let name = letters.rejected("lamps", key).await;
    letters.answers("lamps", key, "take").await;
    // Else the next host would bring the event again by itself.
    let unpublished = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
    until("it is marked", async || (letters.databases.number("desks_database", unpublished).await == 0).then_some(()))
        .await;
    let id = name.parse().expect("a number");
    let mut row = Hold::of(&letters.databases, "plaza", "dead_letters", id).await;
    let control = letters.host.control();
    let order = json!({"names": [name]});
    let replaying = tokio::spawn(async move { control.post("/dead-letters/replay", &order).try_send().await.is_ok() });
    row.until_waiting(1).await;
    assert_eq!(letters.effects("lamps", key).await, [1], "it has its effect, and the letter is there");
    // The host is halted first: it does not see that its note is refused, and whoever ends what it left of its server
    // cannot let the note through.
    signal("-STOP", letters.host.process());
    row.turn_away().await;
    let letters = Letters::on(letters.host.kill());
    drop((row, replaying));

    assert_eq!(letters.names("lamps", key, 1).await, [name.as_str()]);
    letters.replay(&[&name]).await.expect();
    assert_eq!(letters.effects("lamps", key).await, [1]);
    assert_eq!(letters.deliveries("lamps", key).await, 3, "rejected, taken, and taken again");
    letters.names("lamps", key, 0).await;
}

#[tokio::test]
async fn letters_of_a_component_that_is_gone_are_kept_until_it_is_back() {
    let letters = Letters::on(Letters::setup());
    let name = letters.rejected("lamps", "desk-gone").await;
    letters.answers("lamps", "desk-gone", "take").await;
    let without = letters.host.stop().setup.manifest("tests/apps/letters/without-lamps.toml");
    let letters = Letters::on(without);
    letters.replay(&["--component", "lamps", "--all"]).await.refused(&["`lamps` is not served here", "1 left"]);
    letters.replay(&[&name]).await.refused(&["does not subscribe to desk-events"]);
    let letters = Letters::on(letters.host.stop().setup.manifest("tests/apps/letters/spin.toml"));
    letters.replay(&[&name]).await.expect();
    assert_eq!(letters.effects("lamps", "desk-gone").await, [1]);
}

#[tokio::test]
async fn either_of_two_hosts_replays_and_the_version_that_answers_gets_the_event() {
    let letters = Letters::on(Letters::setup());
    let url = letters.host.setup().state().database_owner_url();
    let other = Letters::setup().argument("--database-url").argument(&url).start();
    let name = letters.rejected("lamps", "desk-hosts").await;
    letters.answers("lamps", "desk-hosts", "take").await;
    letters.host.deploy("lamps", &stamped("choosy", "mended"), &[]).await.expect();
    until("the other host follows", async || (other.version_of("lamps").await == "v2").then_some(())).await;
    other.operate(&["events", "replay", &name]).await.expect();
    let versions = other.status_of("lamps").await["versions"].clone();
    assert_eq!((&versions[0]["version"], &versions[0]["answered"]), (&"v2".into(), &1.into()), "{versions}");
    letters.names("lamps", "desk-hosts", 0).await;
    drop(other);
}

#[tokio::test]
async fn a_row_without_a_key_is_published_while_events_of_other_keys_are_in_hand() {
    let letters = shared().await;
    let [held, keyless] = [1, 2].map(|number| format!("0198c0de-0000-7000-8000-00000000000{number}"));
    letters.databases.execute("desks_database", "ALTER TABLE outbox ALTER key DROP NOT NULL").await;
    let noted = format!("INSERT INTO inbox VALUES ('{held}')");
    let mut hold = Hold::by(&letters.databases, "lamps_database", &noted).await;
    let publish = async |id: &str, key: &str| {
        let row = format!("('{id}', '{TOPIC}', {key}, 'DESK_MOVED', jsonb_build_object('number', 1))");
        let insert = format!("INSERT INTO outbox (id, topic, key, type, data) VALUES {row}");
        letters.databases.execute("desks_database", &insert).await;
    };
    publish(&held, "'desk-held'").await;
    hold.until_waiting(1).await;
    publish(&keyless, "NULL").await;
    // Once the time for a call is over, the other one would be in hand no more.
    until_within(Duration::from_secs(20), "it is published", async || {
        (letters.effects("lamps", &keyless).await == [1]).then_some(())
    })
    .await;
    hold.let_go().await;
}
