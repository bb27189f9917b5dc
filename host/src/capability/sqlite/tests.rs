use std::{collections::BTreeMap, time::Duration};

use wasmtime::component::Linker;

use super::*;
use crate::manifest::runtime_config::Place;

const BOUNDS: Bounds = Bounds { answer_bytes: 1 << 20, statement_time: Duration::from_secs(600) };

/// Rows without end.
const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";

/// A database in a file of its own, which ends with the folder.
fn database() -> (tempfile::TempDir, Database) {
    bounded(BOUNDS)
}

fn bounded(bounds: Bounds) -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("test.db"));
    let databases = Databases::new(BTreeMap::from([("default".to_owned(), place)]));
    let database = databases.grant(&["default".to_owned()], bounds).unwrap()["default"].clone();
    (folder, database)
}

async fn connection() -> (tempfile::TempDir, Connection) {
    let (folder, database) = database();
    (folder, Connection::open(database).await.unwrap())
}

async fn run(connection: &Connection, sql: &str) -> Result<Vec<Vec<Value>>, Failure> {
    let result = connection.execute(sql.to_owned(), Vec::new()).await?;
    Ok(result.rows.into_iter().map(|row| row.values).collect())
}

#[tokio::test]
async fn every_kind_of_value_goes_in_and_comes_out() {
    let (_folder, connection) = connection().await;
    run(&connection, "CREATE TABLE t (a, b, c, d, e)").await.unwrap();
    let values = vec![
        Value::Integer(i64::MIN),
        Value::Real(-0.1),
        Value::Text("Grüße".into()),
        Value::Blob(vec![0, 255]),
        Value::Null,
    ];
    let insert = "INSERT INTO t VALUES (?, ?, ?, ?, ?) RETURNING *".to_owned();
    let result = connection.execute(insert, values.clone()).await.unwrap();
    assert_eq!(result.columns, ["a", "b", "c", "d", "e"]);
    assert_eq!(result.rows, [RowResult { values }]);
    assert_eq!((connection.last_insert_rowid().await, connection.changes().await), (1, 1));
}

#[tokio::test]
async fn columns_are_told_of_a_table_without_rows_and_after_it_was_altered() {
    let (_folder, connection) = connection().await;
    run(&connection, "CREATE TABLE t (a)").await.unwrap();
    let columns = async || connection.execute("SELECT * FROM t".to_owned(), Vec::new()).await.unwrap().columns;
    assert_eq!(columns().await, ["a"]);
    run(&connection, "ALTER TABLE t ADD COLUMN b").await.unwrap();
    assert_eq!(columns().await, ["a", "b"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_statement_is_told() {
    let (_folder, connection) = connection().await;
    for (sql, expected) in [
        ("SELEC 1", "syntax error"),
        ("SELECT * FROM missing", "no such table: missing"),
        ("SELECT 1; SELECT 2", "Multiple statements"),
        ("SELECT ?", "number of parameters"),
        ("SELECT CAST(x'ff' AS TEXT)", "no UTF-8"),
    ] {
        let failure = run(&connection, sql).await.unwrap_err().to_string();
        assert!(failure.contains(expected), "{sql}: {failure}");
    }
}

#[tokio::test]
async fn no_statement_leaves_its_database_or_lifts_a_bound() {
    let (folder, connection) = connection().await;
    let outside = folder.path().join("outside.db");
    let outside = outside.display();
    for sql in [
        format!("ATTACH '{outside}' AS other"),
        format!("ATTACH '{outside}' || '' AS other"),
        format!("VACUUM INTO '{outside}'"),
        format!("VACUUM INTO '{outside}' || ''"),
        "SELECT load_extension('anything')".to_owned(),
        "PRAGMA writable_schema = 1".to_owned(),
        "PRAGMA hard_heap_limit = 1".to_owned(),
        "PRAGMA temp_store_directory = '/'".to_owned(),
        "PRAGMA database_list".to_owned(),
        "SELECT zeroblob(100000000)".to_owned(),
    ] {
        assert!(run(&connection, &sql).await.is_err(), "{sql}");
    }
    assert!(!folder.path().join("outside.db").exists());
    let pages = run(&connection, "PRAGMA max_page_count").await.unwrap();
    run(&connection, "PRAGMA max_page_count = 4294967294").await.unwrap();
    assert_eq!(run(&connection, "PRAGMA max_page_count").await.unwrap(), pages);
    assert_eq!(run(&connection, "PRAGMA journal_mode = OFF").await.unwrap(), [] as [Vec<Value>; 0]);
    assert_eq!(run(&connection, "PRAGMA journal_mode").await.unwrap(), [[Value::Text("wal".into())]]);
    run(&connection, "VACUUM").await.unwrap();
    run(&connection, "PRAGMA foreign_keys = ON").await.unwrap();
    assert_eq!(run(&connection, "PRAGMA foreign_keys").await.unwrap(), [[Value::Integer(1)]]);
}

#[tokio::test]
async fn a_transaction_belongs_to_its_connection_and_ends_with_it() {
    let (_folder, database) = database();
    let open = async || Connection::open(database.clone()).await.unwrap();
    let (first, second) = (open().await, open().await);
    run(&first, "CREATE TABLE t (a)").await.unwrap();
    run(&first, "BEGIN IMMEDIATE").await.unwrap();
    run(&first, "INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(run(&second, "SELECT count(*) FROM t").await.unwrap(), [[Value::Integer(0)]]);
    drop(first);
    run(&second, "INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(run(&second, "SELECT a FROM t").await.unwrap(), [[Value::Integer(2)]]);
}

#[tokio::test]
async fn an_answer_is_bounded_and_a_stream_is_not() {
    let (_folder, connection) = connection().await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
        SELECT i, zeroblob(1000) FROM n";
    let failure = run(&connection, many).await.unwrap_err().to_string();
    assert!(failure.contains("query_bytes"), "{failure}");

    let streamed = connection.stream(many.to_owned(), Vec::new()).await.unwrap();
    let (mut rows, ended) = streamed.into_parts();
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += batch.len();
    }
    assert_eq!(count, 5000);
    ended.await.unwrap();
}

#[tokio::test]
async fn few_rows_of_a_stream_leave_the_connection_free_before_they_are_read() {
    let (_folder, connection) = connection().await;
    let streamed = connection.stream("SELECT 1".to_owned(), Vec::new()).await.unwrap();
    assert_eq!(run(&connection, "SELECT 2").await.unwrap(), [[Value::Integer(2)]]);
    assert_eq!(streamed.columns, ["1"]);
    streamed.into_parts().1.await.unwrap();
}

#[tokio::test]
async fn a_stream_that_fails_before_its_first_row_fails_at_once() {
    let (_folder, connection) = connection().await;
    run(&connection, "CREATE TABLE t (a UNIQUE)").await.unwrap();
    run(&connection, "INSERT INTO t VALUES (1)").await.unwrap();
    let failure = connection.stream("INSERT INTO t VALUES (1)".to_owned(), Vec::new()).await.err().unwrap();
    assert!(failure.to_string().contains("UNIQUE"), "{failure}");
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_stopped() {
    let (_folder, connection) = connection().await;
    let waiting = connection.execute(format!("{ENDLESS} SELECT count(*) FROM n"), Vec::new());
    assert!(tokio::time::timeout(Duration::from_millis(100), waiting).await.is_err());
    assert_eq!(run(&connection, "SELECT 1").await.unwrap(), [[Value::Integer(1)]], "the connection is free again");
}

#[test]
fn what_is_given_up_before_it_begins_is_stopped_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let (_folder, connection) = connection().await;
        let (go_on, held) = std::sync::mpsc::channel::<()>();
        let holding = tokio::task::spawn_blocking(move || held.recv());
        let waiting = connection.execute(format!("{ENDLESS} SELECT count(*) FROM n"), Vec::new());
        assert!(tokio::time::timeout(Duration::from_millis(1), waiting).await.is_err());
        go_on.send(()).unwrap();
        holding.await.unwrap().unwrap();
        assert_eq!(run(&connection, "SELECT 1").await.unwrap(), [[Value::Integer(1)]]);
    });
}

#[tokio::test]
async fn a_statement_without_end_lets_go_of_its_database_even_if_its_guest_waits_on() {
    let (_folder, database) = bounded(Bounds { statement_time: Duration::from_millis(50), ..BOUNDS });
    let open = async || Connection::open(database.clone()).await.unwrap();
    let (endless, other) = (open().await, open().await);
    for sql in
        ["SELECT count(*) FROM n", "SELECT 1 UNION ALL SELECT count(*) FROM n"].map(|end| format!("{ENDLESS} {end}"))
    {
        let failure = run(&endless, &sql).await.unwrap_err().to_string();
        assert!(failure.contains("limits.request_ms"), "{failure}");
        let streamed = endless.stream(sql.clone(), Vec::new()).await;
        let failure = match streamed {
            Err(failure) => failure,
            Ok(streamed) => streamed.into_parts().1.await.unwrap_err(),
        };
        assert!(matches!(failure, Failure::TooLong(_)), "{sql}: {failure}");
    }
    let inserting = format!("CREATE TABLE t AS {ENDLESS} SELECT i FROM n WHERE i < 0");
    run(&endless, &inserting).await.unwrap_err();
    run(&other, "CREATE TABLE t (a)").await.unwrap();
}

#[tokio::test]
async fn rows_may_come_for_longer_than_one_may_take() {
    let time = Duration::from_millis(100);
    let (_folder, database) = bounded(Bounds { answer_bytes: 1, statement_time: time });
    let connection = Connection::open(database).await.unwrap();
    let many = format!("{ENDLESS} SELECT zeroblob(70000) FROM n LIMIT 30");
    let (mut rows, ended) = connection.stream(many, Vec::new()).await.unwrap().into_parts();
    while rows.next().await.is_some() {
        tokio::time::sleep(time / 10).await;
    }
    ended.await.unwrap();
}

#[tokio::test]
async fn an_unread_stream_ends_with_its_reader() {
    let (_folder, connection) = connection().await;
    drop(connection.stream(format!("{ENDLESS} SELECT i FROM n"), Vec::new()).await.unwrap());
    assert_eq!(run(&connection, "SELECT 1").await.unwrap(), [[Value::Integer(1)]]);
}

#[test]
fn a_database_that_nobody_described_or_that_cannot_be_opened_is_not_granted() {
    let place = Place::File("/proc/nowhere/all.db".into());
    let databases = Databases::new(BTreeMap::from([("lost".to_owned(), place)]));
    let message = |label: &str| databases.grant(&[label.to_owned()], BOUNDS).err().unwrap().to_string();
    assert!(message("other").contains("[sqlite_database.other]"));
    assert!(message("lost").contains("/proc/nowhere/all.db"));
}

#[test]
fn every_interface_can_be_linked() {
    struct Data(SqliteContext, ResourceTable);
    let mut settings = wasmtime::Config::new();
    settings.wasm_component_model_async(true);
    let mut linker = Linker::<Data>::new(&wasmtime::Engine::new(&settings).unwrap());
    add_to_linker(&mut linker, |data| SqliteView { ctx: &mut data.0, table: &mut data.1 }).unwrap();
}
