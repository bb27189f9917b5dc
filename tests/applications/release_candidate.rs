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
    let late = join_all((0..20).map(|_| client.get("/late"))).await;
    assert!(late.into_iter().all(|answer| answer.expect(200).text() == "0"));
}
