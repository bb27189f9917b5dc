//! Calls from one component into another.

use std::time::{Duration, Instant};

use futures::future::join_all;
use plaza_tests::{Host, Setup, until};

use crate::{client, number_behind};

/// A host that no other test uses: a trap ends every call inside the provider's instance, whosesoever it is.
fn host_of_its_own() -> Host {
    Setup::platform().start()
}

#[tokio::test]
async fn of_a_hundred_thousand_calls_none_takes_a_second() {
    const TASKS: usize = 10;
    const REQUESTS: usize = 10;
    const CALLS: usize = 1_000;
    let client = client();
    let walk = async || {
        let mut slowest_us = 0;
        for _ in 0..REQUESTS {
            let text = client.get(&format!("/calls/n?count={CALLS}")).await.expect(200).text();
            assert!(text.starts_with(&format!("{CALLS} calls")), "{text}");
            slowest_us = slowest_us.max(number_behind(&text, "slowest"));
        }
        slowest_us
    };
    let slowest_us = join_all((0..TASKS).map(|_| walk())).await.into_iter().max().unwrap();
    println!("{} calls, the slowest took {slowest_us} µs", TASKS * REQUESTS * CALLS);
    assert!(slowest_us < 1_000_000, "{slowest_us} µs");
}

#[tokio::test]
async fn an_error_value_comes_back_as_a_value() {
    let text = client().get("/calls/empty").await.expect(200).text();
    assert!(text.contains("Empty"), "{text}");
}

#[tokio::test]
async fn a_call_that_waits_lets_others_pass() {
    let client = client();
    let start = Instant::now();
    let answers = join_all((0..20).map(|_| async { client.get("/calls/sleep?ms=500").await })).await;
    assert!(answers.into_iter().all(|answer| answer.expect(200).text() == "slept"));
    assert!(start.elapsed() < Duration::from_secs(8), "they waited for one another: {:?}", start.elapsed());
}

#[tokio::test]
async fn a_trap_in_the_provider_is_an_error_of_the_caller_and_the_next_call_works() {
    let host = host_of_its_own();
    for _ in 0..5 {
        host.client().get("/calls/trap").await.problem(500);
        host.client().get("/calls/n?count=1").await.expect(200);
    }
}

#[tokio::test]
async fn a_callers_deadline_cuts_its_call() {
    let host = host_of_its_own();
    let start = Instant::now();
    host.client().get("/calls-briefly/sleep?ms=3600000").await.problem(504);
    assert!(start.elapsed() < Duration::from_secs(25), "the provider's own 30 s: {:?}", start.elapsed());
    until("the provider is rid of it", async || (host.in_flight_of("echoes").await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_circle_of_calls_ends_in_an_error() {
    let host = host_of_its_own();
    let start = Instant::now();
    let answer = host.client().get("/calls/cycle").await;
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
    match answer.status {
        200 => assert!(answer.text().contains("Err"), "{}", answer.text()),
        _ => drop(answer.problem(500)),
    }
    client().get("/calls/n?count=1").await.expect(200);
}
