//! Flags of `spin up`.

use std::{fs, net::TcpListener};

use plaza_tests::Setup;

const SQLITE: &str = "tests/spin-apps/sqlite/spin.toml";
const KEY_VALUE: &str = "tests/spin-apps/key-value/spin.toml";
const PLATFORM: &str = "tests/apps/platform/spin.toml";

fn with(setup: Setup, arguments: &[&str]) -> Setup {
    arguments.iter().fold(setup, |setup, argument| setup.argument(argument))
}

/// A runtime config for the stores and databases that these applications name.
fn described(folder: &std::path::Path) -> String {
    let file = folder.join("runtime-config.toml");
    let (archive, sessions) = (folder.join("archive.db"), folder.join("sessions.db"));
    let text = format!(
        "[sqlite_database.archive]\ntype = \"spin\"\npath = {archive:?}\n[key_value_store.sessions]\ntype = \"spin\"\npath = {sessions:?}\n"
    );
    fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[tokio::test]
async fn databases_and_stores_are_filled_before_anything_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let runtime_config = described(folder.path());
    let file = folder.path().join("first.sql");
    fs::write(&file, "CREATE TABLE books (title TEXT);\nINSERT INTO books VALUES ('Emma');").unwrap();
    let in_archive = format!("@{}:archive", file.display());
    let arguments = [
        "--runtime-config-file",
        &runtime_config,
        "--sqlite",
        &in_archive,
        "--sqlite",
        "CREATE TABLE IF NOT EXISTS notes (text)",
    ];
    let host = with(Setup::of(SQLITE), &arguments).start();
    let ask = async |query: &str| host.client().get(&format!("/keeper/run?{query}")).await.expect(200).text();
    assert_eq!(ask("sql=SELECT%20*%20FROM%20books&database=archive").await, "Emma");
    assert_eq!(ask("sql=SELECT%20count(*)%20FROM%20notes&database=default").await, "0");

    let ended = with(host.stop().setup, &["--quiet"]).refused();
    assert!(
        ended.stderr.contains("on the database `archive`") && ended.stderr.contains("already exists"),
        "{}",
        ended.stderr
    );

    let arguments =
        ["--runtime-config-file", &runtime_config, "--key-value", "colour=red=green", "--key-value", "empty="];
    let host = with(Setup::of(KEY_VALUE), &arguments).start();
    assert_eq!(host.client().get("/keeper/get?key=colour").await.expect(200).text(), "red=green");
    assert_eq!(host.client().get("/keeper/exists?key=empty").await.expect(200).text(), "true");
}

#[tokio::test]
async fn only_the_components_that_are_asked_for_are_served_with_what_is_given_to_them() {
    let host =
        with(Setup::of(PLATFORM), &["-c", "looks-about", "-c", "hello", "-e", "SHAPE=round", "-e", "COLOUR=blue"])
            .start();
    let environment = host.client().get("/looks-about/environment").await.expect(200).text();
    let lines: Vec<&str> = environment.lines().collect();
    assert!(lines.contains(&"SHAPE=round") && lines.contains(&"COLOUR=blue"), "{environment}");
    host.client().get("/hello").await.expect(200);
    host.client().get("/old-world").await.expect(404);
    let ended = with(host.stop().setup, &["-c", "helo"]).refused();
    assert!(
        ended.stderr.contains("there is no component `helo` to be served")
            && ended.stderr.contains("did you mean `hello`?"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn variables_are_set_by_the_providers_of_the_runtime_config_unless_a_flag_sets_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runtime-config.toml");
    let lines = folder.path().join("shop.env");
    fs::write(&lines, "SHOP_GREETING='from a file'\n").unwrap();
    let environment = format!("[[variables_provider]]\ntype = \"env\"\nprefix = \"SHOP\"\ndotenv_path = {lines:?}\n");
    let fixed = "[[variables_provider]]\ntype = \"static\"\nvalues = { greeting = \"fixed\" }\n";
    let bounds = "[outbound_http]\nmax_connections = 5\n";
    let flag = ["--variable", "greeting=by a flag"];
    for (text, flags, expected) in [
        (environment.clone() + fixed, &[] as &[&str], "from a file"),
        (fixed.to_owned() + &environment, &[], "fixed"),
        (fixed.to_owned() + bounds, &flag, "by a flag"),
    ] {
        fs::write(&file, &text).unwrap();
        let setup = Setup::of(PLATFORM).environment("SPIN_VARIABLE_GREETING", "from the environment");
        let setup = with(setup, &["-c", "looks-about", "--runtime-config-file", file.to_str().unwrap()]);
        let host = with(setup, flags).start();
        let found = host.client().get("/looks-about/config?key=greeting").await.expect(200).text();
        assert_eq!(found, format!("Ok(Some({expected:?}))"), "{text}");
        if text.contains("outbound_http") {
            host.stderr().line_with("[outbound_http] of the runtime config is passed over");
        }
    }
}

#[tokio::test]
async fn another_port_is_taken_where_one_is_asked_for() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let setup = || Setup::of(PLATFORM).argument("-c").argument("hello").listen(&address.to_string());
    let ended = setup().refused();
    assert!(ended.stderr.contains("cannot listen on"), "{}", ended.stderr);
    let host = setup().argument("--find-free-port").start();
    assert_ne!(host.base(), format!("http://{address}"));
    host.client().get("/hello").await.expect(200);
}

#[tokio::test]
async fn a_name_is_listened_on_and_what_means_nothing_here_is_taken_with_a_warning() {
    let flags = ["-c", "hello", "--max-instance-reuse-count", "1..8", "--request-timeout", "1..8s"];
    let idle = ["--disable-pooling", "--cache-dir", "/nowhere", "--temp", "/nowhere"];
    let host = with(with(Setup::of(PLATFORM).listen("localhost:0"), &flags), &idle).start();
    assert!(host.base().starts_with("http://127.0.0.1:"), "{}", host.base());
    host.client().get("/hello").await.expect(200);
    for flag in ["--disable-pooling", "--cache-dir", "--temp"] {
        host.stderr().line_with(&format!("{flag} means nothing here"));
    }
}

#[tokio::test]
async fn a_component_without_a_manifest_is_served_under_every_path() {
    let host = Setup::of("target/wasm32-wasip2/release/hello.wasm").start();
    assert_eq!(host.client().get("/").await.expect(200).text(), "hello");
    assert_eq!(host.client().get("/here/hello").await.expect(200).text(), "hello");
    assert!(host.all_output().contains("hello is served at"), "{}", host.all_output());
}

#[tokio::test]
async fn a_flag_that_is_not_served_is_told_with_what_to_do_instead() {
    let ended = with(Setup::of(PLATFORM), &["--log-dir", "logs", "--disable-cache"]).refused();
    assert_eq!(ended.code, Some(1));
    for part in ["--log-dir of `spin up` is not served", "--disable-cache of `spin up` is not served"] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}
