//! Clients that take their time: which time-out ends what.

use std::{future::IntoFuture, num::NonZero, thread::available_parallelism, time::Duration};

use futures::future::join_all;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use plaza_tests::{Host, Setup, until, wait::PATIENCE, wire::Wire};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

const REQUEST: &str = "GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n";
const HALF_A_HEAD: &str = "GET /hello HTTP/1.1\r\nhost: loc";
const EVER: &str = "3600";

/// The head of a request that promises ten bytes, and half of them.
fn half_a_body(path: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nAAAAA")
}

/// A host with these time-outs, in seconds.
fn host(header_timeout: &str, idle_timeout: &str) -> Host {
    let setup = Setup::platform().argument("--header-timeout").argument(header_timeout);
    setup.argument("--idle-timeout").argument(idle_timeout).start()
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off_and_an_idle_connection_is_not() {
    let host = host("1", EVER);
    let mut idle = Wire::connect(host.base()).await;
    idle.send(REQUEST).await;
    idle.receive_until("hello").await;

    let mut silent = Wire::connect(host.base()).await;
    let mut halting = Wire::connect(host.base()).await;
    halting.send(HALF_A_HEAD).await;
    let mut second = Wire::connect(host.base()).await;
    second.send(REQUEST).await;
    second.receive_until("hello").await;
    second.send(HALF_A_HEAD).await;
    for slow in [&mut silent, &mut halting, &mut second] {
        slow.receive_all().await;
    }

    idle.send(REQUEST).await;
    idle.receive_until_times("hello", 2).await;
}

#[tokio::test]
async fn a_connection_beyond_the_last_place_waits_until_one_is_free() {
    let host = Setup::platform().argument("--connections").argument("1").start();
    let mut first = Wire::connect(host.base()).await;
    first.send(REQUEST).await;
    first.receive_until("hello").await;
    let mut second = Wire::connect(host.base()).await;
    second.send(REQUEST).await;
    let early = timeout(Duration::from_millis(300), second.receive_until("hello")).await;
    assert!(early.is_err(), "answered though the only place is taken");
    drop(first);
    second.receive_until("hello").await;
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_has_no_more_time_than_any_other() {
    let host = host("1", EVER);
    let mut dripping = Wire::connect(host.base()).await;
    dripping.send("GET /hello HTTP/1.1\r\nlong: ").await;
    let dripped = async { while !dripping.closes_within(Duration::from_millis(20), "x").await {} };
    timeout(PATIENCE, dripped).await.expect("it is cut off although it goes on");
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_one_with_a_request_under_way_is_not() {
    let host = host(EVER, "1");
    let mut idle = Wire::connect(host.base()).await;
    idle.send(REQUEST).await;
    idle.receive_until("hello").await;
    let mut busy = Wire::connect(host.base()).await;
    busy.send("POST /hello/echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 8\r\n\r\nAAAA").await;
    busy.receive_until("AAAA").await;

    idle.receive_all().await;

    busy.send("ZZZZ").await;
    busy.receive_until("ZZZZ").await;
}

#[tokio::test]
async fn an_idle_connection_of_http_2_is_closed_in_order_and_outlives_the_time_for_a_head() {
    let host = host("1", "15");
    let stream = TcpStream::connect(host.base().trim_start_matches("http://")).await.unwrap();
    let (mut sender, connection) =
        http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let ended = tokio::spawn(connection);
    // A connection of HTTP/1.1 that begins its head now is cut off after the time for a head.
    let mut halting = Wire::connect(host.base()).await;
    halting.send(HALF_A_HEAD).await;
    halting.receive_all().await;
    let request = Request::get(format!("{}/hello", host.base())).body(Empty::new()).unwrap();
    let answer = sender.send_request(request).await.expect("it is open still");
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello");
    timeout(PATIENCE, ended).await.expect("it is closed").unwrap().expect("and by a GOAWAY");
}

#[tokio::test]
async fn a_body_that_does_not_go_on_is_a_408_and_one_that_goes_on_slowly_is_not() {
    let host = Setup::platform().argument("--body-timeout").argument("6").start();
    let halt = async |path: &str| {
        let mut wire = Wire::connect(host.base()).await;
        wire.send(&half_a_body(path)).await;
        let answer = wire.receive_until("\r\n\r\n").await.to_lowercase();
        assert!(answer.starts_with("http/1.1 408") && answer.contains("connection: close"), "{path}: {answer}");
    };
    let mut echoing = Wire::connect(host.base()).await;
    echoing.send(&half_a_body("/hello/echo")).await;
    let mut dripping = Wire::connect(host.base()).await;
    dripping.send("POST /hello/length HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let drip = async {
        loop {
            dripping.send_chunk("A").await;
            sleep(Duration::from_millis(250)).await;
        }
    };
    tokio::select! {
        () = drip => {}
        () = halt("/hello/length") => {}
    }
    dripping.send("0\r\n\r\n").await;
    dripping.receive_until(" bytes").await;
    let answer = echoing.receive_all().await;
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.ends_with("0\r\n\r\n"), "the answer had begun: {answer}");
}

#[tokio::test]
async fn clients_that_are_slow_with_their_bodies_take_no_instance_from_the_others() {
    let patient = ["--header-timeout", "--idle-timeout", "--body-timeout"];
    let host = patient.iter().fold(Setup::platform(), |setup, flag| setup.argument(flag).argument(EVER)).start();
    let mut slow = Vec::new();
    for _ in 0..40 {
        let mut wire = Wire::connect(host.base()).await;
        wire.send(&half_a_body("/old-world/echo")).await;
        slow.push(wire);
    }
    for _ in 0..20 {
        let answer = timeout(PATIENCE, host.client().get("/old-world").into_future()).await;
        answer.expect("others are served").expect(200);
    }
    for mut wire in slow {
        wire.send("ZZZZZ").await;
        wire.receive_until("ZZZZZ").await;
    }
}

#[tokio::test]
async fn a_guest_that_has_its_instance_to_itself_answers_what_has_come_while_the_client_waits_for_that() {
    let host = Setup::platform().start();
    let mut wire = Wire::connect(host.base()).await;
    wire.send(&half_a_body("/old-world/echo")).await;
    wire.receive_until("AAAAA").await;
    wire.send("ZZZZZ").await;
    wire.receive_until("ZZZZZ").await;
}

#[tokio::test]
async fn clients_that_pause_in_their_bodies_get_half_of_the_instances_at_most() {
    let host = Setup::platform().argument("--body-timeout").argument(EVER).start();
    // There are eight instances on each core.
    let half = 4 * available_parallelism().map_or(1, NonZero::get);
    let mut slow = Vec::new();
    for _ in 0..2 * half + 8 {
        let mut wire = Wire::connect(host.base()).await;
        wire.send(&half_a_body("/old-world/echo")).await;
        slow.push(wire);
    }
    let begun =
        join_all(slow.iter_mut().map(|wire| timeout(Duration::from_secs(3), wire.receive_until("AAAAA")))).await;
    let begun = begun.iter().filter(|begun| begun.is_ok()).count();
    assert!((1..=half).contains(&begun), "{begun} of {half}");
}

#[tokio::test]
async fn an_answer_that_a_client_of_http_2_leaves_unread_frees_its_place() {
    let host = Setup::platform().argument("--unread-timeout").argument("10").start();
    let stream = TcpStream::connect(host.base().trim_start_matches("http://")).await.unwrap();
    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(0)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("{}/hello/stream?chunks=20000", host.base())).body(Empty::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(host.in_flight_of("hello").await, 1);
    until("its place is free", async || (host.in_flight_of("hello").await == 0).then_some(())).await;
    drop(answer);
}
