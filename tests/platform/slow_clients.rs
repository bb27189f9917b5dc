//! Clients that take their time: which time-out ends what.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use plaza_tests::{Host, Setup, wait::PATIENCE, wire::Wire};
use tokio::{net::TcpStream, time::timeout};

const REQUEST: &str = "GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n";
const HALF_A_HEAD: &str = "GET /hello HTTP/1.1\r\nhost: loc";
const EVER: &str = "3600";

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
    let host = host("1", "3");
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
