//! Limits: what is too much is refused, and what is let go is free again.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use futures::future::join_all;
use plaza_tests::{Client, Host, Setup, until, wire::Wire};

/// The host of these tests. It stops when this process ends.
fn host() -> &'static Host {
    static HOST: LazyLock<Host> = LazyLock::new(|| Setup::of("tests/apps/bounds/spin.toml").start());
    &HOST
}

fn client() -> Client {
    host().client()
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let body = vec![b'x'; 2 * 1024 * 1024];
    let answer = client().request("POST", "/hello/echo").body(body).try_send().await;
    // The host may stop reading before all is sent, which some clients report as a broken connection.
    if let Ok(answer) = answer {
        answer.problem(413);
    }
    client().get("/hello").await.expect(200);
}

#[tokio::test]
async fn a_body_that_claims_to_be_over_the_limit_is_413_before_it_is_sent() {
    let mut wire = Wire::connect(host().base()).await;
    wire.send("POST /hello/echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000000\r\n\r\n").await;
    let answer = wire.receive_until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_head_over_the_limit_is_431() {
    let mut wire = Wire::connect(host().base()).await;
    wire.send(&format!("GET /hello HTTP/1.1\r\nhost: localhost\r\nlong: {}\r\n\r\n", "x".repeat(100_000))).await;
    let answer = wire.receive_until("\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_full_queue_is_503_and_says_when_to_come_again() {
    let client = client();
    let answers = join_all((0..32).map(|_| async { client.get("/narrow/slow-ok?ms=300").await })).await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert!(!served.is_empty() && !refused.is_empty(), "{} served, {} refused", served.len(), refused.len());
    for answer in refused {
        assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{:?}", answer.header("retry-after"));
        answer.problem(503);
    }
    client.get("/narrow/ok").await.expect(200);
}

#[tokio::test]
async fn a_client_that_goes_away_frees_what_it_held() {
    let in_flight = async || host().in_flight_of("abandoned").await;
    let mut wires = Vec::new();
    for _ in 0..8 {
        let mut wire = Wire::connect(host().base()).await;
        wire.send("GET /abandoned/slow-ok?ms=29000 HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        wires.push(wire);
    }
    until("all are being served", async || (in_flight().await == 8).then_some(())).await;
    let gone = Instant::now();
    drop(wires);
    until("nothing is in flight", async || (in_flight().await == 0).then_some(())).await;
    assert!(gone.elapsed() < Duration::from_secs(10), "took {:?}", gone.elapsed());
    client().get("/abandoned/ok").await.expect(200);
}
