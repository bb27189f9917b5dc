//! Components with their dependencies composed in.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use plaza_tests::{
    Client, Host, Setup,
    artifact::{built, stamped},
    manifest::Manifest,
    workspace,
};

const APPLICATION: &str = "tests/spin-apps/dependencies/spin.toml";

/// What the dependency finds out where it inherits it.
const INHERITED: [(&str, &str); 6] = [
    ("variable?tone", "warm"),
    ("stored?nothing", ""),
    ("fetched?http://self/.well-known/spin/health", "200"),
    ("posted?100,http://self/.well-known/spin/health", "200"),
    ("environment", "PLACE=here"),
    ("files", "note.txt"),
];

/// And where it does not.
const DENIED: [(&str, &str); 6] = [
    ("variable?tone", "is denied to this dependency: it does not inherit `variables`"),
    ("stored?nothing", "error Error::AccessDenied"),
    ("fetched?http://self/.well-known/spin/health", "error ErrorCode::HttpRequestDenied"),
    ("posted?100,http://self/.well-known/spin/health", "error ErrorCode::HttpRequestDenied"),
    ("environment", ""),
    ("files", ""),
];

fn host() -> &'static Host {
    static HOST: LazyLock<Host> = LazyLock::new(|| Setup::of(APPLICATION).start());
    &HOST
}

async fn ask(client: &Client, path: &str) -> String {
    client.get(path).await.expect(200).text()
}

/// Asks the component at a route for what its dependency finds out.
#[track_caller]
fn assert_found(found: &str, expected: &str, question: &str) {
    let fits = if expected.contains("denied to") { found.contains(expected) } else { found == expected };
    assert!(fits, "{question}: found {found:?}, expected {expected:?}");
}

#[tokio::test]
async fn a_dependency_from_a_file_and_one_that_is_a_component_answer() {
    let client = host().client();
    for route in ["nothing", "all", "variables", "others"] {
        let counted = ask(&client, &format!("/{route}/part/counted")).await;
        assert!(counted.starts_with("1 2 1 after "), "{route}: {counted}");
    }
}

#[tokio::test]
async fn a_dependency_that_inherits_nothing_finds_nothing_of_what_its_component_has() {
    let client = host().client();
    for (own, expected) in [("variable?tone", "warm"), ("environment", "PLACE=here"), ("files", "a note\n")] {
        assert_eq!(ask(&client, &format!("/nothing/own/{own}")).await, expected, "{own}");
    }
    for (question, expected) in DENIED {
        let found = ask(&client, &format!("/nothing/part/{question}")).await;
        assert_found(&found, expected, question);
    }
}

#[tokio::test]
async fn a_dependency_that_inherits_all_finds_what_its_component_has() {
    let client = host().client();
    for (question, expected) in INHERITED {
        let found = ask(&client, &format!("/all/part/{question}")).await;
        assert_found(&found, expected, question);
    }
}

#[tokio::test]
async fn a_dependency_inherits_what_its_line_names_and_nothing_else() {
    let client = host().client();
    for ((question, inherited), (_, denied)) in INHERITED.into_iter().zip(DENIED) {
        let is_variable = question.starts_with("variable");
        for (route, expected) in [("variables", is_variable), ("others", !is_variable)] {
            let found = ask(&client, &format!("/{route}/part/{question}")).await;
            assert_found(&found, if expected { inherited } else { denied }, &format!("{route}: {question}"));
        }
    }
}

#[tokio::test]
async fn a_denied_request_leaves_the_instance_as_it_was() {
    let client = host().client();
    for _ in 0..300 {
        let found = ask(&client, "/nothing/part/fetched?http://self/.well-known/spin/health").await;
        assert_eq!(found, "error ErrorCode::HttpRequestDenied");
    }
}

#[tokio::test]
async fn who_writes_the_body_of_a_denied_request_is_kept_waiting_by_nobody() {
    let client = host().client();
    let began = Instant::now();
    for _ in 0..5 {
        let found = ask(&client, "/nothing/part/posted?8000000,http://self/.well-known/spin/health").await;
        assert_eq!(found, "error ErrorCode::HttpRequestDenied");
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_is_only_a_part_of_others_is_not_served_by_itself() {
    let status = host().operate(&["status"]).await.expect().text;
    assert!(status.contains("variables") && !status.contains("knows"), "{status}");
}

#[tokio::test]
async fn a_deployed_component_gets_its_dependencies_here_and_keeps_them_over_a_restart() {
    let host = Setup::of(APPLICATION).start();
    host.deploy("nothing", &stamped("asks", "two"), &[]).await.expect();
    assert_eq!(ask(&host.client(), "/nothing/part/counted").await, "1 2 1 after 1");
    assert_eq!(ask(&host.client(), "/nothing/part/environment").await, "");
    // What is composed anew of the same files is the same version: one that was deployed stays in its place.
    let host = host.stop().setup.start();
    assert_eq!((host.version_of("nothing").await, host.version_of("all").await), ("v2".to_owned(), "v1".to_owned()));
    assert_eq!(ask(&host.client(), "/nothing/part/counted").await, "1 2 1 after 1");
}

#[tokio::test]
async fn a_component_that_imports_nothing_of_its_dependencies_is_deployed_without_them_and_gone_back_from() {
    let host = Setup::of(APPLICATION).start();
    host.deploy("all", &built("hello"), &[]).await.expect();
    assert_eq!(ask(&host.client(), "/all/hello").await, "hello");
    host.operate(&["rollback", "all"]).await.expect();
    assert_eq!(ask(&host.client(), "/all/part/environment").await, "PLACE=here");
}

#[test]
fn a_dependency_that_does_not_fit_keeps_the_application_from_starting() {
    let text = std::fs::read_to_string(workspace().join(APPLICATION)).unwrap();
    let text = text.replace("../../../target", "target").replace("release/knows.wasm", "release/hello.wasm");
    let manifest = Manifest::of_text(&text.replace("files = [\"note.txt\"]\n", ""));
    let ended = Setup::of(manifest.path()).refused();
    assert_eq!(ended.code, Some(1));
    for part in ["does not export test:knows/", "name another file or component"] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn an_instance_is_one_of_so_many_however_many_parts_it_has() {
    let host = Setup::of(APPLICATION).argument("--instances").argument("1").start();
    for route in ["nothing", "variables", "all"] {
        assert_eq!(ask(&host.client(), &format!("/{route}/part/counted")).await, "1 2 1 after 1", "{route}");
    }
}
