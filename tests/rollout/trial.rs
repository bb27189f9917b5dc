//! A new version on a share of the requests.

use std::time::Duration;

use futures::future::join_all;
use plaza_tests::{
    Host,
    artifact::{built, stamped},
    until, until_within,
};

use crate::{host, hosts::Application};

/// How many of `count` clients, told apart by header, the new version answers.
async fn answered_by_the_new_one(host: &Host, count: usize) -> usize {
    let client = host.client();
    let ask = async |number: usize| {
        client.get("/hello").header("x-plaza-sticky", &format!("client-{number}")).await.expect(200).text()
    };
    join_all((0..count).map(ask)).await.iter().filter(|text| *text == "newer").count()
}

#[tokio::test]
async fn a_trial_answers_its_share_and_a_client_always_sees_the_same_version() {
    let host = host();
    host.deploy("hello", &built("newer"), &["--canary", "20%", "--canary-window", "1h"]).await.expect();
    let once = answered_by_the_new_one(&host, 500).await;
    assert!((60..140).contains(&once), "{once} of 500");
    assert_eq!(answered_by_the_new_one(&host, 500).await, once);
    let client = host.client();
    for _ in 0..20 {
        // Of these two clients the first is among the fifth; the cookie goes before the header.
        let cookie = client.get("/hello").header("cookie", "a=b; plaza-sticky=client-1").await.expect(200).text();
        let header = client.get("/hello").header("x-plaza-sticky", "client-1").await.expect(200).text();
        assert_eq!(cookie, header);
    }
}

#[tokio::test]
async fn both_versions_stand_in_status_and_metrics() {
    let host = host();
    host.deploy("hello", &built("newer"), &["--canary", "50%", "--canary-window", "1h"]).await.expect();
    answered_by_the_new_one(&host, 100).await;
    let table = host.operate(&["status"]).await.expect().text;
    let row =
        |role: &str| table.lines().find(|line| line.starts_with("hello") && line.contains(role)).map(str::to_owned);
    assert!(row("active").is_some_and(|row| row.contains("v1")), "{table}");
    assert!(row("trial").is_some_and(|row| row.contains("v2") && row.contains("50 %")), "{table}");
    let metrics = host.control().get("/metrics").await.expect(200).text();
    for (version, role) in [("v1", "active"), ("v2", "trial")] {
        let labels = format!("plaza_answered_total{{component=\"hello\",version=\"{version}\",role=\"{role}\"}} ");
        let count = metrics.lines().find_map(|line| line.strip_prefix(&labels)?.parse::<u64>().ok());
        assert!(count.is_some_and(|count| count > 0), "{labels} in {metrics}");
    }
}

#[tokio::test]
async fn a_trial_with_more_errors_is_taken_back_by_itself() {
    let host = host();
    host.deploy("hello", &built("newer"), &["--canary", "50%", "--canary-window", "1h"]).await.expect();
    let client = host.client();
    until("the trial is over", async || {
        // Version 1 answers 404 here, version 2 500.
        client.get("/hello/worse").await;
        let over = host.status_of("hello").await["versions"].as_array().map(Vec::len) == Some(1);
        over.then_some(())
    })
    .await;
    assert_eq!(host.version_of("hello").await, "v1");
    let history = host.operate(&["history", "hello"]).await.expect().text;
    assert!(history.contains("rolled back") && history.contains("went wrong"), "{history}");
}

#[tokio::test]
async fn a_trial_that_is_as_good_is_promoted_by_itself() {
    let host = host();
    host.deploy("hello", &built("newer"), &[]).await.expect();
    host.deploy("hello", &stamped("newer", "as good"), &["--canary", "50%", "--canary-window", "2s"]).await.expect();
    let client = host.client();
    // Answers that take their time, so that none of them is slow because the machine was busy for a moment.
    let slow = async |number: usize| {
        client.get("/hello/slow?ms=200").header("x-plaza-sticky", &format!("client-{number}")).await.expect(200);
    };
    until("the new version has been promoted", async || {
        join_all((0..20).map(slow)).await;
        (host.version_of("hello").await == "v3").then_some(())
    })
    .await;
    assert_eq!(answered_by_the_new_one(&host, 20).await, 20);
}

#[tokio::test]
async fn the_operator_may_promote_or_end_a_trial_before_its_time() {
    let host = host();
    let long = ["--canary", "10%", "--canary-window", "1h"];
    host.deploy("hello", &built("newer"), &long).await.expect();
    host.deploy("hello", &built("newer"), &[]).await.refused(&["v2 of `hello` is on trial"]);
    host.operate(&["rollback", "hello"]).await.expect();
    assert_eq!(answered_by_the_new_one(&host, 20).await, 0);
    host.operate(&["promote", "hello"]).await.refused(&["no version of `hello` is on trial"]);
    host.deploy("hello", &built("newer"), &long).await.expect();
    host.operate(&["promote", "hello"]).await.expect();
    assert_eq!((answered_by_the_new_one(&host, 20).await, host.version_of("hello").await.as_str()), (20, "v3"));
}

/// Less than the request that holds up the drain takes.
const MEANWHILE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn while_a_version_that_was_taken_back_finishes_other_trials_are_watched() {
    let application = Application::new();
    let host = application.setup().start();
    let all = ["--canary", "100%", "--canary-window", "1h"];
    for component in ["one", "two"] {
        host.deploy(component, &built("newer"), &all).await.expect();
    }
    let client = host.client();
    let slow = tokio::spawn(async move { client.request("POST", "/one/slow?ms=20000").await.expect(200).text() });
    until("the slow request is under way", async || (host.in_flight_of("one").await == 1).then_some(())).await;
    for component in ["one", "two"] {
        until_within(MEANWHILE, "the trial is over", async || {
            host.client().get(&format!("/{component}/worse")).await;
            let versions = host.status_of(component).await["versions"].clone();
            let tried = versions.as_array().is_some_and(|all| all.iter().any(|one| one["role"] == "trial"));
            (!tried).then_some(())
        })
        .await;
    }
    assert_eq!(slow.await.unwrap(), "newer");
}
