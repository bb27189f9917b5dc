//! Manifests that are not applied, and change nothing.

use plaza_tests::artifact::built;

use super::application::{Application, HELLO, LINKED};

#[tokio::test]
async fn a_faulty_manifest_is_refused_with_the_faults_that_check_prints() {
    let application = Application::of(HELLO);
    let faulty = HELLO.replace("component = \"hello\"", "component = \"helo\"").replace("{{ colour }}", "{{ color }}");
    application.write(&faulty);
    let file = application.path("spin.toml");
    let check = tokio::process::Command::new(plaza_tests::setup::plaza()).arg("check").arg("-f").arg(&file).output();
    let check = String::from_utf8(check.await.unwrap().stdout).unwrap();
    let faults: Vec<&str> = check.lines().filter(|line| line.contains("spin.toml:")).collect();
    assert!(faults.len() >= 2, "{check}");
    application.refused(&faulty, &faults).await;
    assert_eq!(application.get("/hello").await, "hello");
}

#[tokio::test]
async fn a_link_that_does_not_fit_what_answers_is_refused() {
    let linked = format!("{HELLO}{LINKED}");
    let application = Application::of(&linked);
    let other = linked.replace(
        "\"test:echo/echo@1.0.0\" = { component = \"echoes\" }",
        "\"test:echo/echo@1.0.0\" = { component = \"hello\" }",
    );
    application.refused(&other, &["test:echo/echo@1.0.0"]).await;
    application.get("/calls/n?count=1").await;
}

#[tokio::test]
async fn what_takes_a_restart_is_said_and_refused() {
    let application = Application::of(HELLO);
    let named = HELLO.replace("\"applied\"", "\"other\"").replace("\"red\"", "\"blue\"");
    application.refused(&named, &["takes a restart: the application's name"]).await;
    let database = HELLO.replace(
        "[variables]",
        "[application.tool.plaza.generate]\nkey = \"token\"\n[variables]\nkey = { required = true }",
    );
    application.refused(&database, &["takes a restart: it needs a database"]).await;
    let unset = HELLO.replace("{ default = \"red\" }", "{ required = true }");
    application.refused(&unset, &["SPIN_VARIABLE_COLOUR"]).await;
    assert_eq!(application.get("/hello/variable?name=colour").await, "red");
}

#[tokio::test]
async fn another_file_of_a_component_is_deployed_first_and_then_applied() {
    let application = Application::of(HELLO);
    let other = HELLO.replace("hello.wasm", "newer.wasm");
    application.refused(&other, &["run `plaza deploy hello` first"]).await;
    assert_eq!(application.get("/hello").await, "hello");
    application.host.deploy("hello", &application.path("newer.wasm"), &[]).await.expect();
    application.apply(&other).await;
    assert_eq!(
        (application.get("/hello").await.as_str(), application.host.version_of("hello").await.as_str()),
        ("newer", "v2")
    );
}

#[tokio::test]
async fn a_component_on_trial_is_not_changed() {
    let application = Application::of(HELLO);
    application.host.deploy("hello", &built("newer"), &["--canary", "50%", "--canary-window", "10m"]).await.expect();
    application.refused(&HELLO.replace("\"red\"", "\"blue\""), &["v2 of `hello` is on trial"]).await;
    application.apply(&HELLO.replace("/hello/...", "/good/...")).await;
    application.host.operate(&["rollback", "hello"]).await.expect();
    assert_eq!(application.get("/good/hello").await, "hello");
}

#[tokio::test]
async fn the_same_manifest_changes_nothing() {
    let application = Application::of(HELLO);
    let done = application.host.operate(&["apply"]).await.expect();
    assert_eq!(done.text.trim(), "nothing changes");
}

#[tokio::test]
async fn without_yes_and_with_nobody_to_ask_the_plan_is_printed_and_nothing_is_changed() {
    let application = Application::of(HELLO);
    application.write(&HELLO.replace("/hello/...", "/good/..."));
    application.host.operate(&["apply"]).await.refused(&["+ route /good/... of `hello`", "not applied", "--yes"]);
    assert_eq!(application.get("/hello").await, "hello");
}

#[tokio::test]
async fn a_plan_that_is_not_the_one_agreed_to_is_refused() {
    let application = Application::of(HELLO);
    application.write(&HELLO.replace("/hello/...", "/good/..."));
    let answer = application.host.control().request("POST", "/applications/applied/apply?plan=another").await;
    let text = answer.expect(200).text();
    assert!(text.contains("the plan has changed since it was shown"), "{text}");
    application.host.control().request("POST", "/applications/other/apply").await.expect(404);
    assert_eq!(application.get("/hello").await, "hello");
}
