//! Who sees a version on trial: whatever belongs together sees the same one.

use plaza_tests::{Host, artifact::stamped, letters::Letters, until};
use serde_json::Value;

use crate::host;

/// What a component's versions have done: `answered` or `bad` of the active one and of the one on trial.
async fn counted(host: &Host, component: &str, what: &str) -> [u64; 2] {
    let versions = host.status_of(component).await["versions"].clone();
    [0, 1].map(|place| versions[place].get(what).and_then(Value::as_u64).unwrap_or_default())
}

#[tokio::test]
async fn a_call_is_answered_by_the_version_that_its_request_is_drawn_for() {
    let host = host();
    let half = ["--canary", "50%", "--canary-window", "1h"];
    host.deploy("echoes", &stamped("echoes", "two"), &half).await.expect();
    let client = host.client();
    let mut on_trial = Vec::new();
    for number in 0..40 {
        let path = "/calls/n?count=5";
        let before = counted(&host, "echoes", "answered").await;
        client.get(path).header("x-plaza-sticky", &format!("client-{number}")).await.expect(200);
        let after = counted(&host, "echoes", "answered").await;
        match [after[0] - before[0], after[1] - before[1]] {
            [5, 0] => {}
            [0, 5] => on_trial.push(number),
            both => panic!("the calls of one request went to both: {both:?}"),
        }
    }
    assert!((5..35).contains(&on_trial.len()), "{on_trial:?} of 40");
    // The same ticket decides in front: a version of another component with the same share sees the same clients.
    host.deploy("hello", &stamped("newer", "two"), &half).await.expect();
    for number in 0..40 {
        let text = client.get("/hello").header("x-plaza-sticky", &format!("client-{number}")).await.expect(200).text();
        assert_eq!(text == "newer", on_trial.contains(&number), "client-{number}");
    }
}

/// `lamps` with a new version on half of the events, and ten keys whose events that version is given.
async fn keys_on_trial(letters: &Letters) -> Vec<String> {
    letters
        .host
        .deploy("lamps", &stamped("choosy", "two"), &["--canary", "50%", "--canary-window", "1h"])
        .await
        .expect();
    let mut keys = Vec::new();
    for number in 0.. {
        let key = format!("desk-{number}");
        let before = counted(&letters.host, "lamps", "answered").await;
        if given(letters, &key, 3, before).await == 3 {
            keys.push(key);
        }
        if keys.len() == 10 {
            assert!(number < 100, "half of the keys, not {} in {number}", keys.len());
            break;
        }
    }
    keys
}

/// How many of so many events of a key the version on trial is given.
async fn given(letters: &Letters, key: &str, count: u64, before: [u64; 2]) -> u64 {
    letters.publish(key, 0..i64::try_from(count).unwrap()).await;
    let on_trial = until("the events were handled", async || {
        let after = counted(&letters.host, "lamps", "answered").await;
        let [active, trial] = [after[0] - before[0], after[1] - before[1]];
        (active + trial == count).then_some(trial)
    })
    .await;
    assert!(on_trial == 0 || on_trial == count, "events of {key} went to both versions");
    on_trial
}

#[tokio::test]
async fn events_of_a_key_are_given_to_one_version_which_is_taken_back_where_it_rejects_them() {
    let letters = Letters::on(Letters::setup());
    let keys = keys_on_trial(&letters).await;
    for key in &keys {
        let before = counted(&letters.host, "lamps", "answered").await;
        assert_eq!(given(&letters, key, 2, before).await, 2, "{key} has changed sides");
    }
    for key in &keys {
        letters.answers("lamps", key, "reject of the wrong colour").await;
        letters.publish(key, 10..11).await;
    }
    until("the trial is over", async || {
        let versions = letters.host.status_of("lamps").await["versions"].clone();
        versions.as_array().is_some_and(|versions| !versions.iter().any(|one| one["role"] == "trial")).then_some(())
    })
    .await;
    assert_eq!(letters.host.version_of("lamps").await, "v1");
    let history = letters.host.operate(&["history", "lamps"]).await.expect().text;
    assert!(history.contains("rolled back") && history.contains("went wrong"), "{history}");
}
