//! What is not let in, and why. Whatever is refused changes nothing.

use plaza_tests::{
    Host, Setup,
    artifact::{built, in_python, stamped_file, traps_at_once, written},
};

use crate::{greeting, host, hosts::Application, setup};

/// A component that offers nothing.
const OFFERS_NOTHING: &str = "(component)";

/// A component that needs what nobody has.
const NEEDS_NOBODY: &str = r#"(component
    (import "example:weather/forecast@1.0.0" (instance (export "tomorrow" (func async (result string))))))"#;

/// Exports what `calls` imports, with one function of another type and one missing.
const OTHER_ECHO: &str = r#"(component
    (core module $module
        (func (export "echo") (param i32 i32) unreachable)
        (func (export "sleep") (param i64) unreachable))
    (core instance $core (instantiate $module))
    (func $sleep (param "wait-ms" u64) (canon lift (core func $core "sleep")))
    (func $echo (param "wait-ms" u64) (canon lift (core func $core "sleep")))
    (instance $echoes (export "echo" (func $echo)) (export "sleep" (func $sleep)))
    (export "test:echo/echo@1.0.0" (instance $echoes)))"#;

/// Exports what hears events, with a function that takes a number.
const OTHER_SUBSCRIBER: &str = r#"(component
    (core module $module (func (export "handle") (param i64) unreachable))
    (core instance $core (instantiate $module))
    (func $handle (param "event" u64) (canon lift (core func $core "handle")))
    (instance $subscriber (export "handle" (func $handle)))
    (export "plaza:events/subscriber@1.0.0" (instance $subscriber)))"#;

fn component(text: &str) -> tempfile::TempPath {
    written(&wat::parse_str(text).unwrap())
}

/// Nothing has changed: version 1 answers everywhere.
async fn unchanged(host: &Host) {
    assert_eq!(greeting(host).await, "hello");
    host.client().get("/calls/n?count=1").await.expect(200);
    for component in ["hello", "calls", "echoes"] {
        let status = host.status_of(component).await;
        assert_eq!(status["version"], "v1", "{status}");
        assert_eq!(status["versions"].as_array().map(Vec::len), Some(1), "{status}");
    }
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    let host = host();
    host.deploy("hello", &written(b"not a component"), &[]).await.refused(&["at compile", "is no WebAssembly"]);
    let history = host.operate(&["history", "hello"]).await.expect().text;
    assert!(history.lines().any(|line| line.contains("refused") && line.contains("is no WebAssembly")), "{history}");
    host.deploy("hello", &written(b""), &[]).await.refused(&["at compile"]);
    let whole = std::fs::read(built("newer")).unwrap();
    host.deploy("hello", &written(&whole[..whole.len() / 2]), &[]).await.refused(&["at compile"]);
    unchanged(&host).await;
}

#[tokio::test]
async fn a_component_that_takes_too_long_to_compile_is_refused() {
    let host = setup().argument("--compile-time").argument("1").start();
    let large = stamped_file(&in_python("payment-sandbox"), "too much for a second");
    let refused = host.deploy("hello", &large, &[]).await;
    refused.refused(&["at compile", "more than 1 s of processor time", "wasm-opt", "--compile-time"]);
    unchanged(&host).await;
}

#[tokio::test]
async fn a_component_without_what_its_consumers_call_is_refused_with_the_interface_named() {
    let host = host();
    let refused = host.deploy("echoes", &built("hello"), &[]).await;
    refused.refused(&["at contract", "`calls` calls it and would break", "test:echo/echo@1.0.0", "no such export"]);
    unchanged(&host).await;
}

#[tokio::test]
async fn a_function_of_another_type_is_refused_with_what_was_expected_and_what_was_found() {
    let host = host();
    host.deploy("echoes", &component(OTHER_ECHO), &[]).await.refused(&[
        "at contract",
        "test:echo/echo@1.0.0#echo: expected async func(text: string) -> result<string, variant { empty, unavailable(string) }>, found func(wait-ms: u64)",
        "test:echo/echo@1.0.0#trap: expected async func() -> string, found no such function",
    ]);
    unchanged(&host).await;
}

#[tokio::test]
async fn a_subscriber_that_takes_events_of_another_type_is_refused() {
    let host = Setup::of("tests/apps/letters/spin.toml").start();
    host.deploy("lamps", &component(OTHER_SUBSCRIBER), &[]).await.refused(&[
        "at contract",
        "it cannot be handed events: plaza:events/subscriber@1.0.0#handle: expected async func(event: record { id: string,",
        "found func(event: u64)",
    ]);
    assert_eq!(host.version_of("lamps").await, "v1");
}

#[tokio::test]
async fn a_component_that_does_not_handle_requests_cannot_take_the_place_of_one_that_has_a_route() {
    let host = host();
    host.deploy("hello", &component(OFFERS_NOTHING), &[]).await.refused(&["at contract", "has a route"]);
    unchanged(&host).await;
}

#[tokio::test]
async fn an_import_that_nobody_provides_is_refused() {
    let host = host();
    host.deploy("hello", &component(NEEDS_NOBODY), &[])
        .await
        .refused(&["at contract", "example:weather/forecast@1.0.0"]);
    unchanged(&host).await;
}

#[tokio::test]
async fn a_need_that_the_manifest_does_not_grant_is_refused() {
    let host = host();
    let refused = host.deploy("hello", &built("calls-forbidden-host"), &[]).await;
    refused.refused(&["at contract", "wasi:http/client", "allowed_outbound_hosts"]);
    unchanged(&host).await;
}

#[tokio::test]
async fn a_database_that_is_granted_does_not_grant_calls_to_hosts() {
    let host = Application::new().setup().start();
    let refused = host.deploy("one", &built("calls-forbidden-host"), &[]).await;
    refused.refused(&["at contract", "wasi:http/client", "no address by http or https"]);
    assert_eq!(host.version_of("one").await, "v1");
}

#[tokio::test]
async fn a_component_that_traps_when_it_is_instantiated_is_refused() {
    let host = host();
    host.deploy("hello", &traps_at_once("newer"), &[]).await.refused(&["at instantiate", "unreachable"]);
    unchanged(&host).await;
    let history = host.operate(&["history", "hello"]).await.expect().text;
    assert!(history.contains("refused"), "{history}");
}

#[tokio::test]
async fn a_component_that_fails_its_probe_is_refused() {
    let host = host();
    let refused = host.deploy("hello", &built("newer"), &["--probe", "/hello/worse"]).await;
    refused.refused(&["at probe", "/hello/worse answered 500"]);
    unchanged(&host).await;
}

#[tokio::test]
async fn an_unknown_component_is_refused_with_a_suggestion() {
    let host = host();
    host.deploy("helo", &built("newer"), &[]).await.refused(&["did you mean `hello`?"]);
    unchanged(&host).await;
}

#[tokio::test]
async fn migrations_for_a_component_without_a_database_are_refused() {
    let host = host();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("0001_first.sql"), "SELECT 1").unwrap();
    let folder = folder.path().to_str().unwrap();
    host.deploy("hello", &built("newer"), &["--migrations", folder]).await.refused(&["at migrate", "no database"]);
    unchanged(&host).await;
}

#[tokio::test]
async fn nobody_changes_anything_without_the_token() {
    let host = host();
    let token = written(b"a guess");
    let address = host.control_address().to_owned();
    let token = token.to_str().unwrap();
    let refused = host.deploy("hello", &built("newer"), &["--control", &address, "--token-file", token]).await;
    refused.refused(&["refuses the token"]);
    plaza_tests::Client::new(&address).request("POST", "/components/hello/rollback").await.expect(401);
    unchanged(&host).await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_the_limit_before_it_is_sent_and_by_the_host() {
    let host = host();
    let large = written(&vec![0; 129 * 1024 * 1024]);
    let nowhere = ["--control", "http://127.0.0.1:1", "--token-file", "no-file"];
    host.deploy("hello", &large, &nowhere).await.refused(&["is too large (129 MiB)", "128 MiB"]);
    let mut body = b"--x\r\nContent-Disposition: form-data; name=\"component\"\r\n\r\n".to_vec();
    body.resize(129 * 1024 * 1024, 0);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let sent = host.control().request("POST", "/components/hello/deploy");
    let problem = sent.header("content-type", "multipart/form-data; boundary=x").body(body).await.expect(413).json();
    assert!(problem["detail"].as_str().unwrap().contains("128 MiB"), "{problem}");
    unchanged(&host).await;
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let host = host();
    let stranger = plaza_tests::Client::new(host.control_address());
    stranger.request("POST", "/components/hello/deploy").body(vec![0; 100 * 1024 * 1024]).await.expect(401);
    unchanged(&host).await;
}

#[tokio::test]
async fn the_token_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let host = host();
    let file = host.setup().state().path().join("control.json");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}
