use super::*;
use crate::settings;

struct Component;

impl Internal for Component {
    const COMPONENT: &'static str = "adder";

    async fn answer(call: Call) -> Result<Response, Problem> {
        match call.function() {
            "sums/add" => call.run(async |(one, other): (i64, i64)| one.checked_add(other).ok_or("too-large")).await,
            "events" => {
                call.deliver(async |event| match event.kind.as_str() {
                    "GOOD" => Ok(()),
                    "LATE" => Err(Refusal::Retry("not yet".to_owned())),
                    _ => Err(Refusal::Reject("never heard of it".to_owned())),
                })
                .await
            }
            "tick" => call.tick(async || Ok(())).await,
            "broken/tick" => call.tick(async || Err("the clock is broken".to_owned())).await,
            _ => Ok(nothing_here()),
        }
    }
}

/// Who asks for what, and how.
struct Ask<'a> {
    method: &'a str,
    path: &'a str,
    token: Option<&'a str>,
    body: &'a str,
}

/// Status, `Retry-After`, body and the other headers of the answer.
async fn ask(ask: Ask<'_>) -> (u16, Option<String>, String, HeaderMap) {
    settings::provide(service_token::VARIABLE, "s3cret");
    let mut request = Request::builder().method(ask.method).uri(ask.path);
    if let Some(token) = ask.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let answer = serve_alone::<Component, _>(request.body(Body::from(ask.body.to_owned())).unwrap()).await;
    let (head, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, 65536).await.unwrap();
    let retry_after = head.headers.get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (head.status.as_u16(), retry_after, String::from_utf8(body.to_vec()).unwrap(), head.headers)
}

async fn call(function: &str, body: &str) -> (u16, Option<String>, String) {
    let path = format!("/internal/adder/{function}");
    let (status, retry_after, body, _) = ask(Ask { method: "POST", path: &path, token: Some("s3cret"), body }).await;
    (status, retry_after, body)
}

#[tokio::test]
async fn a_result_comes_as_json_whatever_it_is() {
    assert_eq!(call("sums/add", "[1,2]").await, (200, None, r#"{"Ok":3}"#.to_owned()));
    let too_large = format!("[{},1]", i64::MAX);
    assert_eq!(call("sums/add", &too_large).await, (200, None, r#"{"Err":"too-large"}"#.to_owned()));
}

#[tokio::test]
async fn arguments_that_cannot_be_read_reach_no_function() {
    for wrong in ["", "[1]", "[1,2,3]", "[1,\"2\"]", "{}"] {
        assert_eq!(call("sums/add", wrong).await.0, 422, "{wrong}");
    }
}

#[tokio::test]
async fn to_a_stranger_there_is_nothing_here() {
    let unknown = ask(Ask { method: "POST", path: "/internal/nobody/tick", token: None, body: "" }).await;
    assert_eq!(unknown.0, 404);
    for (method, path, token) in [
        ("POST", "/internal/adder/sums/add", None),
        ("POST", "/internal/adder/sums/add", Some("secret")),
        ("POST", "/internal/adder/tick", Some("")),
        ("GET", "/internal/adder/tick", None),
        ("OPTIONS", "/internal/adder/tick", None),
        ("GET", "/internal/adder/tick", Some("s3cret")),
        ("POST", "/internal/adder/", Some("s3cret")),
        ("POST", "/internal/adder", Some("s3cret")),
        ("POST", "/internal/adder/sums/subtract", Some("s3cret")),
    ] {
        let refused = ask(Ask { method, path, token, body: "not even [JSON" }).await;
        assert_eq!(refused, unknown, "{method} {path} {token:?}");
    }
}

#[tokio::test]
async fn an_event_is_taken_in_rejected_or_put_off() {
    let event = |kind: &str| format!(r#"{{"id":"1","topic":"t","type":"{kind}","value":"{{}}"}}"#);
    assert_eq!(call("events", &event("GOOD")).await, (204, None, String::new()));
    let (status, _, problem) = call("events", &event("BAD")).await;
    assert!(status == 422 && problem.contains("never heard of it"), "{status} {problem}");
    let (status, retry_after, problem) = call("events", &event("LATE")).await;
    assert_eq!((status, retry_after.as_deref()), (503, Some("1")));
    assert!(problem.contains("not yet"), "{problem}");
    assert_eq!(call("events", "{}").await.0, 422);
}

#[tokio::test]
async fn a_tick_is_done_or_comes_again() {
    assert_eq!(call("tick", "").await, (204, None, String::new()));
    let (status, retry_after, problem) = call("broken/tick", "").await;
    assert_eq!((status, retry_after.as_deref()), (503, Some("1")));
    assert!(problem.contains("the clock is broken"), "{problem}");
}
