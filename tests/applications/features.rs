//! What needs an application alone: requests, variables, files, environment, and what WASI gives to everybody.

use std::time::{SystemTime, UNIX_EPOCH};

use plaza_tests::{Host, Setup, setup::workspace};

/// The application of this name, with these arguments more.
fn setup(application: &str) -> Setup {
    Setup::of(format!("tests/spin-apps/{application}/spin.toml"))
}

async fn ask(host: &Host, path: &str) -> String {
    host.client().get(path).await.expect(200).text()
}

#[tokio::test]
async fn components_of_either_wasi_answer_requests() {
    let host = setup("http").start();
    assert_eq!(ask(&host, "/anew/hello").await, "hello");
    assert_eq!(ask(&host, "/before/noon/anything").await, "hello from WASI 0.2");
    for path in ["/anew/echo", "/before/noon/echo"] {
        let echo = host.client().request("POST", path).body("there and back").await.expect(200).text();
        assert_eq!(echo, "there and back", "{path}");
    }
    host.client().get("/hidden/hello").await.expect(404);
}

#[tokio::test]
async fn a_component_asks_a_machine_the_application_and_another_component() {
    let elsewhere = setup("http").start();
    let address = elsewhere.base().trim_start_matches("http://").to_owned();
    let host = setup("outbound-http").variable(&format!("elsewhere={address}")).start();
    for to in [
        format!("http://{address}/anew/hello"),
        "http://self/answers/hello".to_owned(),
        "/answers/hello".to_owned(),
        "http://answers.spin.internal/hello".to_owned(),
    ] {
        assert_eq!(ask(&host, &format!("/asks?to={to}")).await, "hello", "{to}");
    }
    let refused = ask(&host, "/asks?to=http://127.0.0.1:1/").await;
    assert!(refused.starts_with("error ErrorCode::HttpRequestDenied"), "{refused}");
}

#[tokio::test]
async fn variables_come_from_the_manifest_the_environment_and_the_command_line() {
    let host = setup("variables").environment("SPIN_VARIABLE_COLOUR", "red").variable("password=never told").start();
    for (name, value) in [("tone", "warm"), ("mood", "warm and red"), ("key", "of never told")] {
        assert_eq!(ask(&host, &format!("/variable?name={name}")).await, value);
    }
    assert!(
        ask(&host, "/variable?name=password").await.starts_with("error"),
        "it is the application's, not the component's"
    );
    assert!(!host.all_output().contains("never told"));
}

#[tokio::test]
async fn files_are_there_by_pattern_and_by_folder_but_for_those_that_are_excluded() {
    let host = setup("files").start();
    let read = async |path: &str| ask(&host, &format!("/read?path={path}")).await;
    assert_eq!(read("/shown.txt").await, "shown\n");
    let note = std::fs::read_to_string(workspace().join("tests/spin-apps/dependencies/note.txt")).unwrap();
    assert_eq!(read("/elsewhere/note.txt").await, note);
    for path in ["/secret.txt", "/spin.toml", "/../spin.toml", "/elsewhere/../../spin.toml"] {
        assert!(read(path).await.starts_with("error"), "{path}");
    }
}

#[tokio::test]
async fn a_profile_changes_the_environment() {
    let host = setup("environment").start();
    assert_eq!(ask(&host, "/environment").await, "LEVEL=info\nTONE=warm\n");
    let host = setup("environment").argument("--profile").argument("debug").start();
    assert_eq!(ask(&host, "/environment").await, "LEVEL=debug\nTONE=warm\n");
}

#[tokio::test]
async fn clocks_and_random_numbers_are_everybodys() {
    let host = setup("wasi").start();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let before = now();
    let clocks = ask(&host, "/clocks").await;
    for seconds in clocks.split(' ') {
        assert!((before..=now()).contains(&seconds.parse().unwrap()), "{clocks}");
    }
    assert!(ask(&host, "/rest").await.parse::<u64>().unwrap() >= 10);
    let (one, other) = (ask(&host, "/random").await, ask(&host, "/random").await);
    assert!(one.split(' ').zip(other.split(' ')).all(|(one, other)| one != other), "{one}, {other}");
}
