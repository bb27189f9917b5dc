//! SQLite databases.

use std::sync::LazyLock;

use futures::future::join_all;
use plaza_tests::{Client, Host, Setup};
use tempfile::TempDir;

const APPLICATION: &str = "tests/spin-apps/sqlite/spin.toml";

/// Rows without end.
const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";

/// A folder with a runtime config, and the application that is started with it.
fn described() -> (TempDir, Setup) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runtime-config.toml");
    let archive = folder.path().join("archive.db");
    std::fs::write(&file, format!("[sqlite_database.archive]\ntype = \"spin\"\npath = {archive:?}\n")).unwrap();
    let setup = Setup::of(APPLICATION).argument("--runtime-config-file").argument(file.to_str().unwrap());
    (folder, setup)
}

/// A host that these tests share, each with tables of its own.
fn client() -> Client {
    static HOST: LazyLock<(TempDir, Host)> = LazyLock::new(|| {
        let (folder, setup) = described();
        (folder, setup.start())
    });
    HOST.1.client()
}

/// What a component answers when it has run these statements on one connection.
async fn run(client: &Client, component: &str, statements: &[&str]) -> String {
    client.get(&path(component, "default", statements)).await.expect(200).text()
}

fn path(component: &str, database: &str, statements: &[&str]) -> String {
    let pairs = statements.iter().map(|sql| ("sql", *sql)).chain([("database", database)]);
    format!("/{component}/run?{}", serde_urlencoded::to_string(pairs.collect::<Vec<_>>()).unwrap())
}

#[tokio::test]
async fn what_one_interface_wrote_the_others_read() {
    let client = client();
    run(&client, "old", &["CREATE TABLE shared (a INTEGER, b REAL, c TEXT, d BLOB, e)"]).await;
    let insert = "INSERT INTO shared VALUES (-7, 0.5, 'Grüße', x'00ff', NULL)";
    assert_eq!(run(&client, "three", &[insert]).await, "0 rows, 1 changed, row id 1");
    assert_eq!(run(&client, "keeper", &[insert]).await, "");
    let row = "-7|0.5|Grüße|[0, 255]|null";
    for reader in ["keeper", "old"] {
        assert_eq!(run(&client, reader, &["SELECT * FROM shared"]).await, format!("{row}\n{row}"), "{reader}");
    }
    assert!(run(&client, "three", &["SELECT * FROM shared"]).await.starts_with("2 rows"));
}

#[tokio::test]
async fn a_component_without_the_grant_sees_nothing() {
    let client = client();
    for (component, database) in [("stranger", "default"), ("old-stranger", "default"), ("old", "archive")] {
        let text = client.get(&path(component, database, &["SELECT 1"])).await.expect(200).text();
        assert_eq!(text, "error Error::AccessDenied", "{component} {database}");
    }
    let text = client.get(&path("keeper", "nobody_has_it", &["SELECT 1"])).await.expect(200).text();
    assert_eq!(text, "error Error::AccessDenied");
}

#[tokio::test]
async fn data_survives_a_restart_and_a_crash() {
    let (folder, setup) = described();
    let host = setup.start();
    run(&host.client(), "keeper", &["CREATE TABLE t (a)", "INSERT INTO t VALUES ('kept')"]).await;
    let archived = path("keeper", "archive", &["CREATE TABLE t (a)", "INSERT INTO t VALUES ('kept too')"]);
    host.client().get(&archived).await.expect(200);
    assert!(folder.path().join("archive.db").exists());
    let host = host.stop().setup.start();
    assert_eq!(run(&host.client(), "old", &["SELECT a FROM t"]).await, "kept");
    let archived = host.client().get(&path("keeper", "archive", &["SELECT a FROM t"])).await;
    assert_eq!(archived.expect(200).text(), "kept too");
    run(&host.client(), "keeper", &["UPDATE t SET a = 'just now'"]).await;
    let host = host.kill().start();
    assert_eq!(run(&host.client(), "keeper", &["SELECT a FROM t"]).await, "just now");
}

#[tokio::test]
async fn a_transaction_that_its_component_leaves_open_never_was() {
    let client = client();
    run(&client, "keeper", &["CREATE TABLE transactions (a)"]).await;
    let left = ["BEGIN IMMEDIATE", "INSERT INTO transactions VALUES (1)", "SELECT count(*) FROM transactions"];
    let kept = ["BEGIN", "INSERT INTO transactions VALUES (2)", "COMMIT"];
    for component in ["keeper", "old"] {
        assert!(run(&client, component, &left).await.ends_with(char::is_numeric));
        assert_eq!(run(&client, component, &kept).await, "");
    }
    assert_eq!(run(&client, "keeper", &["SELECT a FROM transactions"]).await, "2\n2");
}

#[tokio::test]
async fn many_rows_come_as_a_stream() {
    let many = format!("{ENDLESS} SELECT i, zeroblob(1000) FROM n LIMIT 40000");
    let query = serde_urlencoded::to_string([("sql", many)]).unwrap();
    assert_eq!(client().get(&format!("/keeper/count?{query}")).await.expect(200).text(), "40000");
}

#[tokio::test]
async fn a_statement_without_end_ends_with_its_request_and_holds_nobody_up() {
    let (_folder, setup) = described();
    let host = setup.start();
    let client = host.client();
    let endless = format!("{ENDLESS} SELECT count(*) FROM n");
    let inserting = format!("CREATE TABLE endless AS {ENDLESS} SELECT i FROM n WHERE i < 0");
    let paths = [endless, inserting].map(|sql| path("keeper", "default", &[&sql]));
    let ended = join_all(paths.iter().map(|path| async { client.get(path).await.status }));
    assert_eq!(ended.await, [504, 504]);
    // Some of these meet the instance that the two are stuck in.
    let after = (0..8).map(|number| format!("CREATE TABLE after_{number} AS SELECT {number} AS a"));
    let host = &host;
    let after = after.map(|sql| async move { run(&host.client(), "keeper", &[&sql, "SELECT 'made'"]).await });
    assert_eq!(join_all(after).await, ["made"; 8]);
}

#[tokio::test]
async fn no_component_reaches_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("outside.db");
    for sql in [format!("ATTACH '{}' AS other", outside.display()), format!("VACUUM INTO '{}'", outside.display())] {
        for component in ["keeper", "old"] {
            let text = run(&client(), component, &[&sql]).await;
            assert!(
                text.starts_with("error") && (text.contains("not authorized") || text.contains("authorization denied")),
                "{component}: {sql}: {text}"
            );
        }
    }
    assert!(!outside.exists());
}

#[tokio::test]
async fn many_write_at_once_and_each_row_is_there() {
    let client = client();
    run(&client, "keeper", &["CREATE TABLE many (a)"]).await;
    let insert = ["INSERT INTO many VALUES (1)"];
    let writers = ["keeper", "old", "three"].into_iter().cycle().take(150);
    let written = join_all(writers.map(|writer| run(&client, writer, &insert))).await;
    assert!(written.iter().all(|text| !text.starts_with("error")), "{written:?}");
    assert_eq!(run(&client, "keeper", &["SELECT count(*) FROM many"]).await, "150");
}

#[tokio::test]
async fn what_is_wrong_or_too_much_is_an_error_that_the_component_gets() {
    let client = client();
    assert!(run(&client, "keeper", &["SELEC 1"]).await.contains("syntax error"));
    assert!(run(&client, "old", &["SELECT * FROM missing"]).await.contains("no such table: missing"));
    let large = format!("{ENDLESS} SELECT zeroblob(1000000) FROM n LIMIT 20");
    assert!(run(&client, "old", &[&large]).await.contains("limits.query_bytes"));
}

#[tokio::test]
async fn an_instance_opens_so_many_connections_and_closed_ones_make_room() {
    // A host of its own: what others have open in the same instance counts too.
    let (_folder, setup) = described();
    let host = setup.start();
    let open = async |count: usize| host.client().get(&format!("/keeper/open?count={count}")).await.expect(200).text();
    assert_eq!(open(16).await, "16 open");
    assert!(open(17).await.contains("too many connections"));
    assert_eq!(open(16).await, "16 open");
}

#[test]
fn a_database_that_nothing_describes_keeps_the_application_from_starting() {
    let ended = Setup::of(APPLICATION).refused();
    assert_eq!(ended.code, Some(1));
    for part in ["`keeper` is granted `archive`", "[sqlite_database.archive]", "--runtime-config-file"] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}
