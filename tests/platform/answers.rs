//! Answers that take their time: an answer that has begun may go on for long, but not stand still, and not hold up others.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use futures::future::join_all;
use plaza_tests::{Client, Host, Setup, until, wire::Wire};

/// How long the neighbours of a guest that holds its instance may wait: less than the nine seconds until that is ended.
const NEIGHBOUR_PATIENCE: Duration = Duration::from_secs(8);

/// The host of these tests. It stops when this process ends.
pub fn host() -> &'static Host {
    static HOST: LazyLock<Host> = LazyLock::new(|| bounds().start());
    &HOST
}

/// Components with limits so tight that a test reaches them.
fn bounds() -> Setup {
    Setup::of("tests/apps/bounds/spin.toml")
}

async fn get(host: &Host, path: &str) -> Wire {
    let mut wire = Wire::connect(host.base()).await;
    wire.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
    wire
}

/// Whether an answer whose length the head does not say has come to its end.
fn is_whole(answer: &str) -> bool {
    answer.ends_with("\r\n0\r\n\r\n")
}

/// Four requests at once, to each core some, are answered at once.
async fn neighbours(client: &Client) {
    let neighbour = async || {
        let asked = Instant::now();
        client.get("/busy/ok").await.expect(200);
        assert!(asked.elapsed() < NEIGHBOUR_PATIENCE, "a neighbour waited {:?}", asked.elapsed());
    };
    join_all((0..4).map(|_| neighbour())).await;
}

#[tokio::test]
async fn a_guest_that_keeps_its_instance_from_others_after_its_head_is_ended_and_they_are_served_elsewhere() {
    let host = bounds().argument("--cores").argument("1").start();
    for ending in ["loop", "sleep"] {
        let mut wire = get(&host, &format!("/busy/{ending}?ms=1")).await;
        wire.receive_until("first").await;
        host.stderr().line_with(&format!("{ending} begins"));
        neighbours(&host.client()).await;
        let all = wire.receive_all().await;
        assert!(!is_whole(&all), "{ending}: {all}");
    }
    until("nothing is in flight", async || (host.in_flight_of("busy").await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_guest_that_computes_on_after_its_answer_is_ended_too() {
    let host = bounds().argument("--cores").argument("1").start();
    assert_eq!(host.client().get("/busy/afterwards").await.expect(200).text(), "first\n");
    // Who comes earlier is in that instance, and goes down with it.
    host.stderr().line_with("afterwards computes");
    neighbours(&host.client()).await;
    let line = host.stderr().line_with("computed on when its time was over");
    assert!(line.contains("breaks_off::handle"), "where it did: {line}");
}

#[tokio::test]
async fn an_answer_that_stands_still_is_cut_off_and_one_that_goes_on_slowly_is_not() {
    let (mut still, mut slow) = tokio::join!(get(host(), "/brief/silent"), get(host(), "/brief/ticks?ms=250"));
    let all = slow.receive_until("\r\n0\r\n\r\n").await;
    assert!(all.contains("tick 9"), "{all}");
    let all = still.receive_all().await;
    assert!(all.contains("first") && !is_whole(&all), "{all}");
}

#[tokio::test]
async fn an_endless_answer_ends_when_its_time_is_over() {
    let mut wire = get(host(), "/brief/endless?ms=20").await;
    let all = wire.receive_all().await;
    assert!(all.contains("more and more of it") && !is_whole(&all), "{} bytes", all.len());
}

#[tokio::test]
async fn an_answer_keeps_its_place_in_the_instance_until_it_has_ended() {
    let host = bounds().argument("--cores").argument("1").start();
    let mut first = get(&host, "/single/silent").await;
    first.receive_until("first").await;
    let mut second = get(&host, "/single/ok").await;
    let waiting = async || (host.status_of("single").await["waiting"] == 1).then_some(());
    until("the second waits", waiting).await;
    host.client().get("/single/ok").await.problem(503);
    drop(first);
    second.receive_until("first").await;
}
