//! Answers that the host gives itself: those of the manifest, and the one about its own health.

use std::sync::LazyLock;

use plaza_tests::{Client, Host, Setup};
use serde_json::json;

fn host() -> &'static Host {
    static HOST: LazyLock<Host> = LazyLock::new(|| Setup::of("tests/spin-apps/static-response/spin.toml").start());
    &HOST
}

fn client() -> Client {
    host().client()
}

#[tokio::test]
async fn a_static_response_has_what_the_manifest_says() {
    let answer = client().get("/old").await.expect(302);
    assert_eq!((answer.header("location"), answer.header("x-reason")), ("/hello", "moved"));
    assert_eq!(answer.text(), "");
    let answer = client().get("/notice/weather").await.expect(200);
    assert_eq!((answer.header("content-type"), answer.text().as_str()), ("text/plain; charset=utf-8", "Grüße\n"));
}

#[tokio::test]
async fn it_gives_way_to_a_more_exact_route_and_takes_any_method() {
    client().get("/hello").await.expect(200);
    for method in ["GET", "POST", "DELETE"] {
        assert_eq!(client().request(method, "/anything/else").await.expect(404).text(), "not found");
    }
    let head = client().request("HEAD", "/anything").await.expect(404);
    assert_eq!((head.header("content-length"), head.text().as_str()), ("9", ""));
    let answer = client().request("POST", "/notice/a").body(vec![0; 1 << 20]).await.expect(200);
    assert_eq!(answer.text(), "Grüße\n");
}

#[tokio::test]
async fn it_is_logged_like_any_other_answer() {
    client().get("/notice/log").header("x-request-id", "log-static").await.expect(200);
    let line = host().stderr().line_with("log-static");
    assert!(line.contains("/notice/:topic") && line.contains("static response"), "{line}");
}

#[tokio::test]
async fn the_host_answers_for_its_health_and_the_application_whatever_is_routed() {
    assert_eq!(client().get("/.well-known/spin/health").await.expect(200).text(), "OK");
    let info = client().get("/.well-known/spin/info").await.expect(200).json();
    assert_eq!(info, json!({"name": "static-response", "version": "1.0.0"}));
    // Not the one that the manifest has for whatever else there is.
    client().get("/.well-known/spin/other").await.problem(404);
}
