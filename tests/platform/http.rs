//! HTTP in all its forms.

use plaza_tests::wire::Wire;

use crate::{client, host};

#[tokio::test]
async fn a_component_answers_at_its_routes() {
    assert_eq!(client().get("/hello").await.expect(200).text(), "hello");
    assert_eq!(client().get("/hello/").await.expect(200).text(), "hello");
}

#[tokio::test]
async fn a_component_of_wasi_0_2_is_served_too() {
    assert_eq!(client().get("/old-world").await.expect(200).text(), "hello from WASI 0.2");
    let body = "x".repeat(100_000);
    assert_eq!(client().request("POST", "/old-world/echo").body(body.clone()).await.expect(200).text(), body);
}

#[tokio::test]
async fn a_route_that_nobody_has_is_a_problem_404() {
    client().get("/nobody").await.problem(404);
}

#[tokio::test]
async fn the_headers_that_spin_sets_are_set_and_cannot_be_forged() {
    let request = client().get("/hello/headers?color=blue").header("spin-path-info", "/forged");
    let headers = request.await.expect(200).json();
    let base = host().base();
    assert_eq!(headers["spin-full-url"], format!("{base}/hello/headers?color=blue"), "{headers}");
    assert_eq!(headers["spin-path-info"], "/headers", "{headers}");
    assert_eq!(headers["spin-component-route"], "/hello", "{headers}");
    assert_eq!(headers["spin-raw-component-route"], "/hello/...", "{headers}");
    assert_eq!(headers["spin-matched-route"], "/hello/...", "{headers}");
    assert_eq!(headers["spin-base-path"], "/", "{headers}");
    assert!(headers["spin-client-addr"].as_str().unwrap().starts_with("127.0.0.1:"), "{headers}");
}

#[tokio::test]
async fn named_segments_of_a_route_are_told_and_cannot_be_forged() {
    let request = client().get("/things/lamp/of/ada/headers").header("spin-path-match-kind", "forged");
    let headers = request.header("spin-path-match-other", "forged").await.expect(200).json();
    assert_eq!(headers["spin-path-match-kind"], "lamp", "{headers}");
    assert_eq!(headers["spin-path-match-maker"], "ada", "{headers}");
    assert_eq!(headers["spin-path-match-other"], serde_json::Value::Null, "{headers}");
    assert_eq!(headers["spin-component-route"], "/things/:kind/of/:maker/headers", "{headers}");
    client().get("/things/lamp/of/headers").await.problem(404);
}

#[tokio::test]
async fn a_private_route_is_not_there_for_anybody_outside() {
    for path in ["/private", "/private/", "/private/hello"] {
        client().get(path).await.problem(404);
    }
}

#[tokio::test]
async fn an_instance_serves_as_many_requests_as_it_may_and_one_of_wasi_0_2_serves_one() {
    // Over one connection, so that all of them come to one core.
    let (client, mut counts) = (client(), Vec::new());
    for _ in 0..12 {
        counts.push(client.get("/looks-about/count").await.expect(200).text());
        assert_eq!(client.get("/old-world/count").await.expect(200).text(), "1");
    }
    assert!(counts.iter().any(|count| count == "3"), "{counts:?}");
    assert!(counts.iter().all(|count| ["1", "2", "3"].contains(&count.as_str())), "{counts:?}");
}

#[tokio::test]
async fn a_body_streams_through_while_it_is_still_being_sent() {
    let mut wire = Wire::connect(host().base()).await;
    wire.send("POST /hello/echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").await;
    for piece in ["the first piece", "the second piece", "the third piece"] {
        wire.send_chunk(piece).await;
        wire.receive_until(piece).await;
    }
    wire.send("0\r\n\r\n").await;
    wire.receive_until("0\r\n\r\n").await;
}

#[tokio::test]
async fn a_short_answer_comes_as_its_component_sends_it_and_a_head_alone_without_a_body() {
    let mut wire = Wire::connect(host().base()).await;
    wire.send("GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let answer = wire.receive_until("\r\n0\r\n\r\n").await;
    assert!(answer.contains("\r\ntransfer-encoding: chunked\r\n"), "no length that it does not say: {answer}");
    assert!(answer.ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "{answer}");
    wire.send("HEAD /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    let all = wire.receive_all().await;
    let head = all.strip_prefix(&answer).unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test]
async fn a_long_answer_arrives_whole() {
    let text = client().get("/hello/stream?chunks=20000").await.expect(200).text();
    assert_eq!(text.lines().count(), 20_000);
    assert!(text.ends_with("chunk 19999\n"));
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let mut wire = Wire::connect(host().base()).await;
    for _ in 0..3 {
        wire.send("GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        wire.receive_until("hello").await;
    }
    wire.send("GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert_eq!(wire.receive_all().await.matches("HTTP/1.1 200").count(), 4);
}

#[tokio::test]
async fn http_2_is_spoken_without_an_upgrade() {
    let http = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = http.get(format!("{}/hello", host().base())).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert_eq!(answer.text().await.unwrap(), "hello");
}

#[tokio::test]
async fn a_request_that_names_two_hosts_or_none_is_400() {
    for hosts in ["host: localhost\r\nhost: example.com\r\n", "host: localhost\r\nhost: localhost\r\n", ""] {
        for path in ["/hello", "/nobody", "http://localhost/hello"] {
            let mut wire = Wire::connect(host().base()).await;
            wire.send(&format!("GET {path} HTTP/1.1\r\n{hosts}connection: close\r\n\r\n")).await;
            let answer = wire.receive_all().await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{hosts:?} {path}: {answer}");
        }
    }
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let mut wire = Wire::connect(host().base()).await;
    wire.send("this is not HTTP\r\n\r\n").await;
    let answer = wire.receive_all().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn what_a_guest_prints_becomes_a_log_line_with_its_name_and_the_request() {
    let asked = client().get("/hello/print?line=a-line-of-its-own").header("x-request-id", "it-prints");
    assert_eq!(asked.await.expect(200).header("x-request-id"), "it-prints");
    let line = host().stderr().line_with("a-line-of-its-own");
    assert!(line.contains("hello") && line.contains("it-prints"), "{line}");
}

#[tokio::test]
async fn to_what_a_component_answers_nothing_is_added_that_nobody_asked_for() {
    let answer = client().get("/hello").await.expect(200);
    assert_eq!(answer.header_names(), ["date", "transfer-encoding"]);
}
