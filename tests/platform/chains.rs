//! Requests that components send one another within the application.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use plaza_tests::{Client, Host, Setup, manifest::Manifest, until, wait::PATIENCE, wire::Wire};

const MANIFEST: &str = r#"spin_manifest_version = 2
[application]
name = "chains"
[[trigger.http]]
route = "/one"
component = "one"
[component.one]
source = "target/wasm32-wasip2/release/hands_on.wasm"
allowed_outbound_hosts = ["http://self", "http://*.spin.internal"]
[[trigger.http]]
route = "/"
component = "one"
[[trigger.http]]
route = "/two"
component = "two"
[component.two]
source = "target/wasm32-wasip2/release/hands_on.wasm"
allowed_outbound_hosts = ["http://self", "http://*.spin.internal"]
[[trigger.http]]
route = "/hello/..."
component = "hello"
[component.hello]
source = "target/wasm32-wasip2/release/hello.wasm"
[component.hello.tool.plaza]
limits = { body_bytes = 1000 }
[[trigger.http]]
route = { private = true }
component = "hidden"
[component.hidden]
source = "target/wasm32-wasip2/release/hello.wasm"
[[trigger.http]]
route = "/calls/..."
component = "calls"
[component.calls]
source = "target/wasm32-wasip2/release/calls.wasm"
[component.calls.tool.plaza.dependencies]
"test:echo/echo@1.0.0" = { component = "unrouted" }
[component.unrouted]
source = "target/wasm32-wasip2/release/echoes.wasm"
[component.unrouted.tool.plaza.dependencies]
"test:echo/back@1.0.0" = { component = "calls" }
[[trigger.http]]
route = "/never"
component = "never"
[component.never]
source = "target/wasm32-wasip2/release/never_answers.wasm"
[component.never.tool.plaza]
limits = { request_ms = 1000 }
[[trigger.http]]
route = "/brief"
component = "brief"
[component.brief]
source = "target/wasm32-wasip2/release/hands_on.wasm"
allowed_outbound_hosts = ["http://*.spin.internal"]
[component.brief.tool.plaza]
limits = { request_ms = 1000 }
[[trigger.http]]
route = { private = true }
component = "single"
[component.single]
source = "target/wasm32-wasip2/release/old_world.wasm"
allowed_outbound_hosts = ["http://single.spin.internal"]
[component.single.tool.plaza]
limits = { instances = 1 }
"#;

fn setup() -> Setup {
    let manifest = Manifest::of_text(MANIFEST);
    Setup::of(manifest.path()).manifest_in(manifest)
}

fn host() -> &'static Host {
    static HOST: LazyLock<Host> = LazyLock::new(|| setup().start());
    &HOST
}

fn client() -> Client {
    host().client()
}

/// A host with one core, so that a component's requests share an instance.
fn one_core() -> Host {
    setup().argument("--cores").argument("1").start()
}

/// A request whose body has begun and does not end so far.
async fn half_sent(host: &Host, path: &str) -> Wire {
    let mut wire = Wire::connect(host.base()).await;
    wire.send(&format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")).await;
    wire.send_chunk("AAAAA").await;
    wire
}

#[tokio::test]
async fn a_request_is_answered_by_a_component_and_by_the_routes() {
    for to in ["http://hello.spin.internal/hello", "http://self/hello/", "http://hidden.spin.internal/hello"] {
        assert_eq!(client().get(&format!("/one?to={to}")).await.expect(200).text(), "hello", "{to}");
    }
}

#[tokio::test]
async fn a_component_without_a_trigger_is_not_asked_by_its_name() {
    for name in ["unrouted", "nobody"] {
        let answer = client().get(&format!("/one?to=http://{name}.spin.internal/hello")).await.expect(200).text();
        assert!(answer.starts_with("error ErrorCode::DestinationNotFound"), "{name}: {answer}");
    }
    let log = host().stderr().text();
    assert!(log.contains("no component of this name has a trigger for HTTP"), "{log}");
}

#[tokio::test]
async fn a_component_may_ask_itself_and_a_circle_without_end_ends_in_an_error() {
    let hello = "http://hello.spin.internal/hello";
    for to in ["http://one.spin.internal/", "http://two.spin.internal/?to=http://one.spin.internal/", "http://self/one"]
    {
        let asked = client().get(&format!("/one?to={to}?to={hello}"));
        assert_eq!(asked.await.expect(200).text(), "hello", "{to}");
    }
    // It asks for the path that it serves itself.
    client().get("/").await.problem(508);
}

#[tokio::test]
async fn a_component_whose_only_instance_asks_it_itself_hears_that_there_is_no_room_and_does_not_wait_for_itself() {
    let host = one_core();
    let itself = "http://single.spin.internal/";
    let began = Instant::now();
    let text = host.client().get(&format!("/one?to={itself}get?url={itself}")).await.expect(200).text();
    assert_eq!(text, "status 503");
    // It has thirty seconds.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_address_without_a_host_is_the_applications_own() {
    for to in
        ["/hello/hello", "http://self.alt/hello/hello", "https://self.alt/hello/hello", "https://self/hello/hello"]
    {
        assert_eq!(client().get(&format!("/one?to={to}")).await.expect(200).text(), "hello", "{to}");
    }
}

#[tokio::test]
async fn an_address_without_a_path_or_with_a_port_that_is_none_is_taken_as_it_is() {
    let text = client().get("/one?to=http://hello.spin.internal").await.expect(200).text();
    assert_eq!(text, "hello");
    let text = client().get("/one?to=http://hello.spin.internal:99999/hello").await.expect(200).text();
    assert!(text.starts_with("error"), "{text}");
}

#[tokio::test]
async fn a_chain_keeps_to_the_deadline_of_whom_it_asks() {
    let began = Instant::now();
    client().get("/one?to=http://two.spin.internal/?to=http://never.spin.internal/").await.problem(504);
    // The others have thirty seconds.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test]
async fn who_asks_may_wait_for_less() {
    // A second later it would have been an answer, with 504.
    let answer = client().get("/one?within=200&to=http://never.spin.internal/").await.expect(200).text();
    assert!(answer.starts_with("error ErrorCode::ConnectionReadTimeout"), "{answer}");
}

#[tokio::test]
async fn what_a_component_says_of_where_its_request_comes_from_is_not_believed() {
    let headers = client().get("/one?to=http://hello.spin.internal/headers").await.expect(200).text();
    assert!(!headers.contains("203.0.113.9"), "{headers}");
    let headers: serde_json::Value = serde_json::from_str(&headers).unwrap();
    assert_eq!(headers["spin-client-addr"], "127.0.0.1:0");
}

#[tokio::test]
async fn a_head_request_has_no_body_all_along_the_chain() {
    for to in
        ["http://hello.spin.internal/hello", "http://two.spin.internal/?to=http://hello.spin.internal/stream?chunks=9"]
    {
        assert_eq!(client().get(&format!("/one?head&to={to}")).await.expect(200).text(), "0 bytes", "{to}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_for_whom_it_is_handed_on_to_is_refused_as_such() {
    for (how, path) in [("", "length"), ("", "echo"), ("bare&", "length")] {
        let to = format!("/one?{how}to=http://hello.spin.internal/{path}");
        let sent = async |bytes| client().request("POST", &to).body(vec![b'x'; bytes]).await;
        sent(1000).await.expect(200);
        sent(1001).await.problem(413);
    }
}

#[tokio::test]
async fn who_answers_first_and_asks_on_afterwards_comes_to_an_end() {
    let host = setup().start();
    host.client().get("/one?between=two,one").await.expect(200);
    let answered = async || {
        let of = async |id| host.status_of(id).await["answered"].as_u64().unwrap();
        of("one").await + of("two").await
    };
    host.stderr().line_with("requests within the application go in circles");
    let answered = answered().await;
    assert!((10..=17).contains(&answered), "{answered}");
}

#[tokio::test]
async fn a_request_under_way_may_still_ask_whom_another_manifest_has_removed() {
    let manifest = Manifest::of_text(MANIFEST);
    let host = Setup::of(manifest.path()).start();
    let client = host.client();
    let mut asking = Vec::new();
    for to in ["http://hello.spin.internal/hello", "http://self/hello/"] {
        asking.push(half_sent(&host, &format!("/one?held&to={to}")).await);
    }
    until("both are under way", async || (host.in_flight_of("one").await == 2).then_some(())).await;
    let without = "[[trigger.http]]\nroute = \"/hello/...\"";
    let (before, after) = MANIFEST.split_once(without).unwrap();
    let (_, after) = after.split_once("body_bytes = 1000 }\n").unwrap();
    std::fs::write(manifest.path(), format!("{before}{after}")).unwrap();
    let asked = async {
        until("the other manifest is applied", async || host.stderr().text().contains("\"applied\"").then_some(()))
            .await;
        client.get("/hello/").await.expect(404);
        for mut asking in asking {
            asking.send("0\r\n\r\n").await;
            asking.receive_until("hello").await;
        }
    };
    let (applied, ()) = tokio::join!(host.operate(&["apply", "--yes"]), asked);
    applied.expect();
    client.get("/hello/").await.expect(404);
    let now = client.get("/one?to=http://hello.spin.internal/hello").await.expect(200).text();
    assert!(now.starts_with("error ErrorCode::DestinationNotFound"), "{now}");
}

#[tokio::test]
async fn a_guest_whose_answer_has_begun_asks_on_after_the_time_for_its_beginning() {
    let text = client().get("/brief?later=1500&to=http://hello.spin.internal/hello").await.expect(200).text();
    assert_eq!(text, "hello");
}

#[tokio::test]
async fn what_is_asked_after_the_deadline_of_whom_it_is_for_does_not_happen() {
    client().get("/brief?pause=1400&to=http://hello.spin.internal/print?line=too-late-for-that").await.problem(504);
    until("it has ended", async || (host().in_flight_of("brief").await == 0).then_some(())).await;
    let log = host().stderr().text();
    assert!(!log.contains("too-late-for-that"), "{log}");
}

#[tokio::test]
async fn a_body_whose_sender_is_taken_down_by_another_request_is_not_whole() {
    let host = one_core();
    let _upload = half_sent(&host, "/one?to=http://hello.spin.internal/commit?line=upload").await;
    until("it has come to whom it is for", async || (host.in_flight_of("hello").await == 1).then_some(())).await;
    host.client().get("/one?trap").await.problem(500);
    let line = host.stderr().line_with("upload ");
    assert!(line.contains("upload not committed"), "{line}");
}

#[tokio::test]
async fn what_a_request_has_left_behind_asks_for_is_not_taken_for_anybody_elses() {
    let host = one_core();
    let left = "/one?left=1500&to=http://hello.spin.internal/print?line=left-behind";
    assert_eq!(host.client().get(left).await.expect(200).text(), "begun");
    let mut other = Wire::connect(host.base()).await;
    let to = "GET /one?pause=20000&to=http://hello.spin.internal/hello HTTP/1.1";
    other.send(&format!("{to}\r\nhost: localhost\r\nx-request-id: somebody-else\r\n\r\n")).await;
    let line = host.stderr().line_with("left-behind");
    assert_eq!(host.in_flight_of("one").await, 1, "the other one is still there");
    assert!(!line.contains("somebody-else"), "{line}");
}

#[tokio::test]
async fn a_client_that_is_slow_with_its_body_takes_no_instance_from_others_through_a_chain() {
    let host = one_core();
    let _slow = half_sent(&host, "/one?to=http://single.spin.internal/echo").await;
    until("it is under way", async || (host.in_flight_of("one").await == 1).then_some(())).await;
    let asked = host.client().get("/one?to=http://single.spin.internal/");
    let answer = tokio::time::timeout(PATIENCE, std::future::IntoFuture::into_future(asked)).await;
    assert_eq!(answer.expect("others are served").expect(200).text(), "hello from WASI 0.2");
}
