//! A component of WASI 0.3 as its last release candidate had it.

use std::sync::LazyLock;

use futures::future::join_all;
use plaza_tests::{Client, Host, Setup};

fn client() -> Client {
    static HOST: LazyLock<Host> = LazyLock::new(|| Setup::of("tests/spin-apps/release-candidate/spin.toml").start());
    HOST.client()
}

#[tokio::test]
async fn it_answers_asks_others_and_keeps_values() {
    let client = client();
    assert_eq!(client.request("POST", "/echo").body("Grüße").await.expect(200).text(), "Grüße");
    assert_eq!(client.get("/get?url=http://self/echo").await.expect(200).text(), "status 200");
    let refused = client.get("/get?url=http://forbidden.example/").await.expect(200).text();
    assert!(refused.contains("HttpRequestDenied"), "{refused}");
    assert_eq!(client.get("/visits").await.expect(200).text(), "1");
    assert_eq!(client.get("/visits").await.expect(200).text(), "2");
}

#[tokio::test]
async fn it_serves_several_requests_at_once() {
    let client = client();
    let late = join_all((0..20).map(|_| client.get("/late").into_future())).await;
    assert!(late.into_iter().all(|answer| answer.expect(200).text() == "0"));
}

#[tokio::test]
async fn it_may_import_what_is_not_served_and_is_told_so_when_it_asks() {
    let client = client();
    for (path, expected) in [
        ("/mqtt", "ConnectionFailed(\"MQTT is not served by this host\")"),
        ("/mysql", "ConnectionFailed(\"MySQL is not served by this host\")"),
        ("/llm", "RuntimeError(\"a language model is not served by this host\")"),
    ] {
        let told = client.get(path).await.expect(200).text();
        assert!(told.contains(expected), "{path}: {told}");
    }
    assert_eq!(client.request("POST", "/echo").body("still here").await.expect(200).text(), "still here");
}
