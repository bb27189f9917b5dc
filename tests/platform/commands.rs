//! What the program's other commands say of an application, and what `plaza up` does before and beside serving it.

use std::{fs, path::PathBuf, process::Command};

use plaza_tests::{Setup, setup::plaza, workspace};
use tempfile::TempDir;

/// `plaza <arguments>`: its exit code and all that it printed.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(plaza()).args(arguments).current_dir(workspace()).output().expect("plaza can be run");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// An application of one component that this command builds.
fn built_by(command: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let text = format!(
        r#"spin_manifest_version = 2
[application]
name = "built"
version = "1.0.0"
[[trigger.http]]
route = "/..."
component = "hello"
[component.hello]
source = "built.wasm"
[component.hello.build]
command = {command:?}
"#
    );
    let manifest = folder.path().join("spin.toml");
    fs::write(&manifest, text).expect("a manifest can be written");
    (folder, manifest)
}

fn hello() -> String {
    workspace().join("target/wasm32-wasip2/release/hello.wasm").display().to_string()
}

#[test]
fn a_check_ends_with_1_when_there_are_faults_and_with_0_when_there_are_none() {
    for application in ["apps/platform", "spin-apps/middleware", "spin-apps/files"] {
        let (code, text) = run(&["check", "-f", &format!("tests/{application}/spin.toml")]);
        assert!(code == Some(0) && text.contains("no faults"), "{code:?}: {text}");
    }
    let (code, text) = run(&["check", "-f", "tests/check/unknown_keys/spin.toml"]);
    assert!(code == Some(1) && text.contains("fault"), "{code:?}: {text}");
    let (code, text) = run(&["check", "-f", "tests/check/none/spin.toml"]);
    assert_eq!(code, Some(1), "{text}");
}

#[test]
fn a_build_that_fails_says_which_and_how() {
    let (_folder, manifest) = built_by("exit 7");
    let (code, text) = run(&["build", "-f", manifest.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("building hello failed: `exit 7`") && text.contains('7'), "{text}");
    let ended = Setup::of(&manifest).argument("--build").refused();
    assert!(ended.code == Some(1) && ended.stderr.contains("building hello failed"), "{}", ended.stderr);
}

#[tokio::test]
async fn what_is_to_be_served_is_built_first() {
    let (folder, manifest) = built_by(&format!("cp '{}' built.wasm", hello()));
    let ended = Setup::of(&manifest).refused();
    assert!(ended.code == Some(1) && ended.stderr.contains("built.wasm"), "unbuilt: {}", ended.stderr);
    let host = Setup::of(&manifest).argument("--build").start();
    assert_eq!(host.client().get("/hello").await.expect(200).text(), "hello");
    assert!(folder.path().join("built.wasm").exists());
}

#[tokio::test]
async fn a_quiet_host_prints_its_addresses_only_and_logs_what_is_wrong_only() {
    let host = Setup::platform().argument("--quiet").start();
    host.client().get("/hello").header("x-request-id", "quiet-hello").await.expect(200);
    host.client().get("/traps/panic").header("x-request-id", "quiet-trap").await.problem(500);
    host.stderr().line_with("quiet-trap");
    let ended = host.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("is served at http://") && ended.stdout.contains("control:"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("routes:") && !ended.stdout.contains("started in"), "{}", ended.stdout);
    assert!(!ended.stderr.contains("quiet-hello") && !ended.stderr.contains("\"INFO\""), "{}", ended.stderr);
}
