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
    let client = client();
    for _ in 0..5 {
        client.request("POST", "/hello/length").body(body.clone()).await.problem(413);
    }
    client.get("/hello").await.expect(200);
}

#[tokio::test]
async fn an_answer_that_leaves_a_body_unread_says_that_its_connection_ends() {
    let mut wire = Wire::connect(host().base()).await;
    wire.send("POST /hello/length HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2097152\r\n\r\n").await;
    let answer = wire.receive_until("\r\n\r\n").await.to_lowercase();
    assert!(answer.starts_with("http/1.1 413") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_body_whose_length_nobody_knows_is_413_when_it_gets_over_the_limit() {
    let mut wire = Wire::connect(host().base()).await;
    wire.send("POST /hello/length HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").await;
    for _ in 0..16 {
        wire.send_chunk(&"x".repeat(64 * 1024)).await;
    }
    wire.send_chunk("x").await;
    let answer = wire.receive_until("\r\n\r\n").await.to_lowercase();
    assert!(answer.starts_with("http/1.1 413") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_taken() {
    let body = vec![b'x'; 1024 * 1024];
    let text = client().request("POST", "/hello/length").body(body).await.expect(200).text();
    assert_eq!(text, "1048576 bytes");
}

#[test]
fn flags_that_make_no_sense_are_refused_with_what_they_may_say() {
    let nonsense = [
        ("--cores", "0"),
        ("--connections", "0"),
        ("--instances", "0"),
        ("--header-bytes", "10"),
        ("--header-timeout", "0"),
        ("--body-timeout", "0"),
        ("--idle-timeout", "0"),
        ("--unread-timeout", "0"),
        ("--shutdown-timeout", "100000000000000000"),
    ];
    for (flag, value) in nonsense {
        let ended = Setup::of("tests/apps/bounds/spin.toml").argument(flag).argument(value).refused();
        assert_eq!(ended.code, Some(2), "{flag} {value}: {}", ended.stderr);
        let says = format!("invalid value '{value}' for '{flag}");
        assert!(ended.stderr.contains(&says) && ended.stderr.contains(".."), "{}", ended.stderr);
    }
}

#[test]
fn a_variable_that_is_not_written_as_one_is_refused_without_its_text() {
    for wrong in ["admin_password:hunter2", "admin_password:hunter2="] {
        let ended = Setup::of("tests/apps/bounds/spin.toml").variable("greeting=hi").variable(wrong).refused();
        assert_ne!(ended.code, Some(0));
        assert!(ended.stderr.contains("--variable number 2 sets nothing: write it as name=value"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("hunter2") && !ended.stdout.contains("hunter2"), "{}", ended.stderr);
    }
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
async fn what_is_in_flight_at_a_stop_is_cut_off_when_its_time_is_over() {
    let host = Setup::of("tests/apps/bounds/spin.toml").argument("--shutdown-timeout").argument("1").start();
    let mut wire = Wire::connect(host.base()).await;
    wire.send("GET /abandoned/slow-ok?ms=59000 HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    until("it is being served", async || (host.in_flight_of("abandoned").await == 1).then_some(())).await;
    host.terminate();
    let ended = host.wait();
    assert_eq!(ended.code, Some(0), "it stopped as it was told to: {}", ended.stderr);
    assert!(ended.stderr.contains("some requests took longer than the 1 s"), "{}", ended.stderr);
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
