//! `plaza up --watch`.

use plaza_tests::{Setup, artifact::built, until};

use crate::greeting;

/// An application of one component, which is built by copying what `source.txt` names.
fn application(folder: &std::path::Path) {
    let manifest = r#"spin_manifest_version = 2
[application]
name = "watched"
[[trigger.http]]
route = "/hello/..."
component = "hello"
[component.hello]
source = "hello.wasm"
[component.hello.build]
command = 'cp "$(cat source.txt)" hello.wasm'
watch = ["source.txt"]
"#;
    std::fs::write(folder.join("spin.toml"), manifest).unwrap();
    std::fs::copy(built("hello"), folder.join("hello.wasm")).unwrap();
    std::fs::write(folder.join("source.txt"), built("hello").to_str().unwrap()).unwrap();
}

#[tokio::test]
async fn a_component_whose_sources_change_is_built_and_replaced_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    application(folder.path());
    let host = Setup::of(folder.path().join("spin.toml")).argument("--watch").start();
    assert_eq!(greeting(&host).await, "hello");
    let touch =
        |text: &std::path::Path| std::fs::write(folder.path().join("source.txt"), text.to_str().unwrap()).unwrap();
    touch(&built("newer"));
    until("the new version answers", async || (greeting(&host).await == "newer").then_some(())).await;
    let process = host.process();
    touch(std::path::Path::new("/nothing/here.wasm"));
    until("a build that fails is told of", async || host.stderr().text().contains("not replaced").then_some(())).await;
    assert_eq!((greeting(&host).await.as_str(), host.process()), ("newer", process));
}

#[test]
fn there_must_be_something_to_watch() {
    let ended = Setup::of("tests/apps/rollout/spin.toml").argument("--watch").refused();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("watch = ["), "{}", ended.stderr);
}
