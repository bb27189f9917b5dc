//! The access log: one line a request, written when its answer has ended, with how it ended.

use std::time::Duration;

use plaza_tests::{Host, until, wire::Wire};
use serde_json::Value;

use crate::{answers, client, host};

/// The lines of the request with this id.
fn lines_of(host: &Host, id: &str) -> Vec<Value> {
    let log = host.stderr().text();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["target"] == "access" && line["request.id"] == id).collect()
}

/// The line of the request with this id, when it has come: the only one.
async fn line_of(host: &Host, id: &str) -> Value {
    let line = until(&format!("{id} is in the log"), async || lines_of(host, id).pop()).await;
    assert_eq!(lines_of(host, id).len(), 1, "{id}");
    line
}

/// Sends a GET with this id by hand.
async fn get(host: &Host, path: &str, id: &str) -> Wire {
    let mut wire = Wire::connect(host.base()).await;
    wire.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx-request-id: {id}\r\n\r\n")).await;
    wire
}

#[tokio::test]
async fn a_whole_answer_is_logged_with_its_bytes_and_its_version() {
    client().get("/hello").header("x-request-id", "log-whole").await.expect(200);
    let line = line_of(host(), "log-whole").await;
    assert_eq!((&line["end"], &line["bytes"], &line["status"]), (&"complete".into(), &5.into(), &200.into()), "{line}");
    assert_eq!((&line["component"], &line["version"]), (&"hello".into(), &"v1".into()), "{line}");
    assert_eq!((&line["method"], &line["route"]), (&"GET".into(), &"/hello/...".into()), "{line}");
}

#[tokio::test]
async fn a_line_names_the_trace_of_its_request_which_is_a_new_one_where_the_client_brings_none() {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let brought = client().get("/hello").header("x-request-id", "log-trace");
    brought.header("traceparent", &format!("00-{trace}-b7ad6b7169203331-01")).await.expect(200);
    assert_eq!(line_of(host(), "log-trace").await["trace.id"], trace);
    client().get("/hello").header("x-request-id", "log-no-trace").await.expect(200);
    let line = line_of(host(), "log-no-trace").await;
    assert_eq!(line["trace.id"].as_str().map(str::len), Some(32), "{line}");
}

#[tokio::test]
async fn a_long_answer_is_logged_when_it_has_ended_with_the_time_it_took() {
    const TAKES: Duration = Duration::from_millis(500);
    let host = host();
    let mut wire = Wire::connect(host.base()).await;
    let head = "POST /hello/echo HTTP/1.1\r\nhost: localhost\r\nx-request-id: log-long\r\ncontent-length: 8\r\n\r\n";
    wire.send(&format!("{head}AAAA")).await;
    wire.receive_until("AAAA").await;
    assert_eq!(lines_of(host, "log-long"), Vec::<Value>::new(), "it is still under way");
    // What the log is to tell is the time that passes here.
    tokio::time::sleep(TAKES).await;
    wire.send("ZZZZ").await;
    wire.receive_until("ZZZZ").await;
    let line = line_of(host, "log-long").await;
    assert_eq!((&line["end"], &line["bytes"]), (&"complete".into(), &8.into()), "{line}");
    let took = Duration::from_micros(line["duration_us"].as_u64().unwrap());
    assert!(took >= TAKES, "{line}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_and_one_whose_client_leaves_are_told_apart() {
    get(host(), "/old-world/panic", "log-trap").await.receive_all().await;
    let line = line_of(host(), "log-trap").await;
    assert_eq!((&line["end"], &line["bytes"], &line["status"]), (&"cut off".into(), &5.into(), &200.into()), "{line}");

    let mut wire = get(answers::host(), "/brief/silent", "log-left").await;
    wire.receive_until("first").await;
    drop(wire);
    let line = line_of(answers::host(), "log-left").await;
    assert_eq!((&line["end"], &line["status"]), (&"client left".into(), &200.into()), "{line}");

    let unanswered = get(host(), "/never-answers", "log-unanswered").await;
    until("it is asked", async || (host().in_flight_of("never-answers").await > 0).then_some(())).await;
    drop(unanswered);
    let line = line_of(host(), "log-unanswered").await;
    assert_eq!((&line["end"], &line["status"]), (&"client left".into(), &Value::Null), "{line}");
}

#[tokio::test]
async fn what_the_host_answers_itself_is_logged_too() {
    let health = client().get("/.well-known/spin/health").header("x-request-id", "log-health").await.expect(200);
    assert_eq!(health.header("x-request-id"), "log-health");
    client().get("/nobody").header("x-request-id", "log-nobody").await.expect(404);
    client().request("HEAD", "/hello").header("x-request-id", "log-head").await.expect(200);
    for (id, status) in [("log-health", 200), ("log-nobody", 404), ("log-head", 200)] {
        let line = line_of(host(), id).await;
        assert_eq!((&line["end"], &line["status"]), (&"complete".into(), &status.into()), "{line}");
    }
}
