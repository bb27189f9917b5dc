//! Components with middleware around them.

use std::sync::LazyLock;

use plaza_tests::{
    Client, Host, Setup,
    artifact::{built, stamped},
    manifest::Manifest,
    workspace,
};

const APPLICATION: &str = "tests/spin-apps/middleware/spin.toml";

fn host() -> &'static Host {
    static HOST: LazyLock<Host> = LazyLock::new(|| Setup::of(APPLICATION).start());
    &HOST
}

/// What a request has passed when it comes to the component.
async fn passed(client: &Client, route: &str) -> String {
    let headers = client.get(&format!("{route}/headers")).await.expect(200).json();
    headers["x-passed"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_request_passes_the_outermost_first() {
    let client = host().client();
    assert_eq!(passed(&client, "/guarded").await, "guards, signs");
    assert_eq!(passed(&client, "/signed").await, "signs, guards");
}

#[tokio::test]
async fn what_middleware_answers_by_itself_comes_to_nobody_within() {
    let client = host().client();
    let closed = client.get("/guarded/closed").await.expect(403);
    assert_eq!((closed.text().as_str(), closed.header("x-tone")), ("closed", ""));
    let closed = client.get("/signed/closed").await.expect(403);
    assert_eq!((closed.text().as_str(), closed.header("x-tone")), ("closed", "denied"));
}

#[tokio::test]
async fn middleware_inherits_what_its_entry_names_and_nothing_else() {
    let client = host().client();
    for (route, expected) in [("guarded", "warm"), ("signed", "denied")] {
        let answer = client.get(&format!("/{route}/variable?name=tone")).await.expect(200);
        assert_eq!((answer.text().as_str(), answer.header("x-tone")), ("warm", expected), "{route}");
    }
}

#[tokio::test]
async fn bodies_go_through_middleware_as_they_come() {
    let client = host().client();
    let long = "x".repeat(1_000_000);
    let answer = client.request("POST", "/guarded/echo").body(long.clone()).await.expect(200);
    assert!(answer.text() == long, "{} bytes", answer.bytes().len());
    let streamed = client.get("/signed/stream?chunks=100").await.expect(200).text();
    assert_eq!(streamed.lines().count(), 100, "{streamed}");
}

#[tokio::test]
async fn what_is_only_middleware_is_not_served_by_itself() {
    let status = host().operate(&["status"]).await.expect().text;
    assert!(status.contains("guarded") && !status.contains("guards") && !status.contains("signs"), "{status}");
}

#[tokio::test]
async fn a_deployed_component_gets_its_middleware_here_and_keeps_it_over_a_restart() {
    let host = Setup::of(APPLICATION).start();
    host.deploy("guarded", &stamped("hello", "two"), &[]).await.expect();
    assert_eq!(passed(&host.client(), "/guarded").await, "guards, signs");
    let host = host.stop().setup.start();
    assert_eq!(host.version_of("guarded").await, "v2");
    assert_eq!(passed(&host.client(), "/guarded").await, "guards, signs");
    let refused = host.deploy("guarded", &built("old-world"), &[]).await;
    refused.refused(&["does not export wasi:http/handler@0.3", "take the middleware out"]);
}

/// A component with this around it.
fn manifest(middleware: &str) -> String {
    format!(
        r#"spin_manifest_version = 2
[application]
name = "around"
[[trigger.http]]
route = "/..."
component = "web"
dependencies.middleware = [{middleware}]
[component.web]
source = "web.wasm"
variables = {{ tone = "warm" }}
"#
    )
}

#[tokio::test]
async fn other_middleware_is_applied_without_a_restart_and_makes_no_version() {
    let folder = tempfile::tempdir().unwrap();
    for (name, file) in [("hello", "web.wasm"), ("signs", "signs.wasm"), ("guards", "guards.wasm")] {
        std::fs::copy(built(name), folder.path().join(file)).unwrap();
    }
    let file = folder.path().join("spin.toml");
    std::fs::write(&file, manifest("{ path = \"signs.wasm\" }")).unwrap();
    let host = Setup::of(&file).start();
    assert_eq!(passed(&host.client(), "").await, "signs");
    for (middleware, change, expected) in [
        ("{ path = \"guards.wasm\" }", "middleware.0: signs.wasm, composed in → guards.wasm, composed in", "guards"),
        ("", "middleware.0: guards.wasm, composed in → none", ""),
        ("{ path = \"signs.wasm\", inherit_configuration = true }", "signs.wasm, composed in, inherits all", "signs"),
    ] {
        std::fs::write(&file, manifest(middleware)).unwrap();
        let done = host.operate(&["apply", "--yes"]).await.expect().text;
        assert!(done.contains(change), "{done}");
        assert_eq!(passed(&host.client(), "").await, expected);
    }
    assert_eq!(host.client().get("/").await.expect(200).header("x-tone"), "warm");
    std::fs::copy(stamped("signs", "two"), folder.path().join("signs.wasm")).unwrap();
    let done = host.operate(&["apply", "--yes"]).await.expect().text;
    assert!(done.contains("~ component `web`: signs.wasm, composed in, was built anew"), "{done}");
    assert_eq!((host.version_of("web").await.as_str(), passed(&host.client(), "").await.as_str()), ("v1", "signs"));
}

#[test]
fn what_hands_nothing_on_keeps_the_application_from_starting() {
    let text = std::fs::read_to_string(workspace().join(APPLICATION)).unwrap();
    let manifest = Manifest::of_text(
        &text.replace("../../../target", "target").replace("release/guards.wasm", "release/hello.wasm"),
    );
    let ended = Setup::of(manifest.path()).refused();
    assert_eq!(ended.code, Some(1));
    for part in
        ["middleware.0 does not both import and export wasi:http/handler@0.3", "name one that hands requests on"]
    {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}
