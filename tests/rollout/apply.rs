//! The manifest read again, while it is served.

mod application;
mod refused;
mod shop;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use plaza_tests::{
    artifact::{built, stamped},
    until,
};

use self::application::{Application, HELLO, LINKED, OUT};

#[tokio::test]
async fn a_new_route_answers_and_the_former_one_is_gone() {
    let application = Application::of(HELLO);
    let done = application.apply(&HELLO.replace("/hello/...", "/good/...")).await;
    for line in ["+ route /good/... of `hello`", "- route /hello/... of `hello`", "applied: 2 changes"] {
        assert!(done.contains(line), "no {line:?} in: {done}");
    }
    assert_eq!(application.get("/good/hello").await, "hello");
    application.host.client().get("/hello").await.expect(404);
}

#[tokio::test]
async fn a_connection_that_stays_open_is_led_by_the_new_routes() {
    let application = Application::of(HELLO);
    let client = application.host.client();
    client.get("/hello").await.expect(200);
    application.apply(&HELLO.replace("/hello/...", "/good/...")).await;
    client.get("/good/hello").await.expect(200);
    client.get("/hello").await.expect(404);
}

#[tokio::test]
async fn the_new_value_of_a_variable_is_seen_and_its_component_keeps_its_version() {
    let application = Application::of(HELLO);
    assert_eq!(application.get("/hello/variable?name=colour").await, "red");
    let done = application.apply(&HELLO.replace("\"red\"", "\"blue\"")).await;
    assert!(done.contains("~ variable `colour`: \"red\" → \"blue\""), "{done}");
    assert_eq!(application.get("/hello/variable?name=colour").await, "blue");
    assert_eq!(application.host.version_of("hello").await, "v1");
}

#[tokio::test]
async fn a_variable_that_the_command_line_sets_keeps_its_value() {
    let application = Application::started(HELLO, |setup| setup.variable("colour=green"));
    let done = application.apply(&HELLO.replace("\"red\"", "\"blue\"")).await;
    assert!(done.contains("the command line or the environment sets"), "{done}");
    assert_eq!(application.get("/hello/variable?name=colour").await, "green");
}

#[tokio::test]
async fn a_grant_that_is_withdrawn_refuses_the_call_and_one_that_is_given_back_lets_it_through() {
    let with = format!("{HELLO}{OUT}");
    let application = Application::of(&with);
    let path = format!("/out?url={}/hello", application.host.base());
    assert_eq!(application.get(&path).await, "status 200");
    let done = application.apply(&with.replace("http://127.0.0.1:*", "http://elsewhere.example")).await;
    let line = "~ component `out`: allowed_outbound_hosts: [http://127.0.0.1:*] → [http://elsewhere.example]";
    assert!(done.contains(line), "{done}");
    let answer = application.get(&path).await;
    assert!(answer.contains("HttpRequestDenied"), "{answer}");
    application.apply(&with).await;
    assert_eq!(application.get(&path).await, "status 200");
}

#[tokio::test]
async fn another_limit_holds_from_now_on() {
    let application = Application::of(HELLO);
    let client = application.host.client();
    let ask = async || client.request("POST", "/hello/length").body(vec![0; 4096]).await.status;
    assert_eq!(ask().await, 200);
    application.apply(&format!("{HELLO}[component.hello.tool.plaza]\nlimits = {{ body_bytes = 1024 }}\n")).await;
    assert_eq!(ask().await, 413);
}

#[tokio::test]
async fn components_come_and_go_and_come_back() {
    let application = Application::of(HELLO);
    let with = format!("{HELLO}{LINKED}");
    let done = application.apply(&with).await;
    assert!(done.contains("+ component `calls`") && done.contains("+ component `echoes`"), "{done}");
    application.get("/calls/n?count=3").await;
    let gone = application.apply(HELLO).await;
    assert!(gone.contains("- component `calls`") && gone.contains("- component `echoes`"), "{gone}");
    application.host.client().get("/calls/n?count=3").await.expect(404);
    let status = application.host.status().await;
    assert_eq!(status["components"].as_array().map(Vec::len), Some(1), "{status}");
    application.apply(&with).await;
    application.get("/calls/n?count=3").await;
}

#[tokio::test]
async fn a_component_that_is_added_can_be_deployed_to() {
    let application = Application::of(HELLO);
    application.apply(&format!("{HELLO}{LINKED}")).await;
    application.host.deploy("echoes", &stamped("echoes", "two"), &[]).await.expect();
    assert_eq!(application.host.version_of("echoes").await, "v2");
    application.get("/calls/n?count=3").await;
}

#[tokio::test]
async fn the_version_that_was_deployed_stays_active() {
    let application = Application::of(HELLO);
    application.host.deploy("hello", &built("newer"), &[]).await.expect();
    application.apply(&HELLO.replace("\"red\"", "\"blue\"")).await;
    assert_eq!(application.get("/hello").await, "newer");
    assert_eq!(application.host.version_of("hello").await, "v2");
    application.host.operate(&["rollback", "hello"]).await.expect();
    assert_eq!(application.get("/hello/variable?name=colour").await, "blue");
}

#[tokio::test]
async fn a_request_in_flight_finishes_though_its_route_and_its_component_are_gone() {
    let slow = format!(
        "{HELLO}[[trigger.http]]\nroute = \"/slow/...\"\ncomponent = \"slow\"\n[component.slow]\nsource = \"newer.wasm\"\n"
    );
    let application = Application::of(&slow);
    let client = application.host.client();
    let asked = tokio::spawn(async move { client.request("POST", "/slow/slow?ms=5000").await.expect(200).text() });
    until("the slow request is under way", async || (application.host.in_flight_of("slow").await == 1).then_some(()))
        .await;
    let done = application.apply(HELLO).await;
    assert!(done.contains("nothing was cut off"), "{done}");
    assert_eq!(asked.await.unwrap(), "newer");
    application.host.client().get("/slow").await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_manifests_are_applied() {
    let linked = format!("{HELLO}{LINKED}");
    let application = Application::of(&linked);
    let stop = Arc::new(AtomicBool::new(false));
    let mut asking = tokio::task::JoinSet::new();
    for path in ["/hello/variable?name=colour", "/calls/n?count=5"].repeat(4) {
        let (client, stop) = (application.host.client(), stop.clone());
        asking.spawn(async move {
            let mut count: u64 = 0;
            while !stop.load(Ordering::Relaxed) {
                client.request("POST", path).await.expect(200);
                count += 1;
            }
            count
        });
    }
    for round in 0..10 {
        let colour = linked.replace("\"red\"", &format!("\"colour {round}\""));
        let limited = format!("{colour}[component.echoes.environment]\nROUND = \"{round}\"\n{OUT}");
        let done = application.apply(if round % 2 == 0 { &limited } else { &colour }).await;
        assert!(done.contains("nothing was cut off"), "{done}");
    }
    stop.store(true, Ordering::Relaxed);
    let answers: u64 = asking.join_all().await.into_iter().sum();
    println!("{answers} answers over 10 manifests, all good");
    assert_eq!(application.get("/hello/variable?name=colour").await, "colour 9");
}
