//! Answers that have begun and come to no good end: nobody may take them for whole.

use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use plaza_tests::wire::Wire;
use tokio::net::TcpStream;

use crate::{client, host};

#[tokio::test]
async fn a_trap_after_the_head_breaks_the_connection_instead_of_ending_the_answer() {
    for path in ["/breaks-off/panic?ms=100", "/old-world/panic"] {
        let mut wire = Wire::connect(host().base()).await;
        wire.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
        let all = wire.receive_all().await;
        assert!(all.starts_with("HTTP/1.1 200") && all.contains("first"), "{path}: {all}");
        assert!(!all.contains("\r\n0\r\n"), "{path}: it looks whole: {all}");
    }
    client().get("/breaks-off/ok").await.expect(200);
}

#[tokio::test]
async fn a_trap_after_the_head_resets_the_stream_of_http_2_and_no_other() {
    let stream = TcpStream::connect(host().base().trim_start_matches("http://")).await.unwrap();
    let (sender, connection) =
        http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let get = async |path: &str| {
        let request = Request::get(format!("{}{path}", host().base())).body(Empty::new()).unwrap();
        sender.clone().send_request(request).await.unwrap()
    };
    let broken = get("/breaks-off/panic?ms=100").await;
    assert_eq!(broken.status(), 200);
    let broken = broken.into_body().collect().await.expect_err("it looks whole");
    assert!(format!("{broken:?}").contains("Reset"), "{broken:?}");
    assert_eq!(get("/hello").await.into_body().collect().await.unwrap().to_bytes(), "hello");
    drop(sender);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_trap_before_anything_has_left_is_a_500() {
    client().get("/breaks-off/panic").await.problem(500);
}
