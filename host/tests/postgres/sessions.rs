//! Who uses which connection, and in what state it comes back.

use super::server::Server;
use super::{Fixture, code, until, value};
use plaza::capability::postgres::{Connection, DbValue, Error, ParameterValue};
use std::time::{Duration, Instant};

const PID: &str = "SELECT pg_backend_pid()";

#[tokio::test]
async fn a_handle_connects_only_when_it_needs_to() {
    let fixture = Fixture::new().await;
    let connection = fixture.open();
    assert_eq!(fixture.pools.open_connections(), 0);
    value(&connection, PID, &[]).await.unwrap();
    assert_eq!(fixture.pools.open_connections(), 1);
}

#[tokio::test]
async fn handles_share_connections_and_prepared_statements() {
    let fixture = Fixture::new().await;
    let first = fixture.value(PID).await;
    for _ in 0..20 {
        assert_eq!(fixture.value(PID).await, first);
    }
    let count = "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT pg_backend_pid()'";
    assert_eq!(fixture.value(count).await, DbValue::Int64(1));
}

#[tokio::test]
async fn those_who_ask_at_once_share_what_there_is_while_further_connections_are_made() {
    let fixture = Fixture::with(|settings| settings.max_connections = 8).await;
    fixture.value(PID).await;
    // A connection takes hundreds of turns of its thread, each of which is this long.
    let busy = tokio::spawn(async {
        loop {
            let turn = Instant::now();
            while turn.elapsed() < Duration::from_millis(10) {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
        }
    });
    let answers = futures::future::join_all((0..30).map(|_| fixture.value("SELECT 1"))).await;
    busy.abort();
    assert_eq!(answers, vec![DbValue::Int32(1); 30]);
}

#[tokio::test]
async fn an_address_that_is_not_granted_is_refused_with_the_remedy() {
    let fixture = Fixture::new().await;
    let error = Connection::open(&fixture.pools, "postgres://u:secret@db.example/x", None).err().unwrap();
    let Error::ConnectionFailed(message) = *error else { panic!() };
    assert!(message.contains("`tested` may not connect to db.example:5432"), "{message}");
    assert!(message.contains("\"postgres://db.example:5432\" to its allowed_outbound_hosts"), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[tokio::test]
async fn a_transaction_keeps_its_connection_and_hides_its_changes() {
    let fixture = Fixture::new().await;
    fixture.execute("CREATE TABLE t (a int)").await;
    let connection = fixture.open();
    connection.execute("BEGIN", &[]).await.unwrap();
    let pid = value(&connection, PID, &[]).await.unwrap();
    connection.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    assert_ne!(fixture.value(PID).await, pid);
    assert_eq!(fixture.value("SELECT count(*) FROM t").await, DbValue::Int64(0));
    assert_eq!(value(&connection, PID, &[]).await.unwrap(), pid);
    connection.execute("COMMIT", &[]).await.unwrap();
    assert_eq!(fixture.value("SELECT count(*) FROM t").await, DbValue::Int64(1));
}

#[tokio::test]
async fn a_transaction_left_open_is_undone_before_anyone_gets_its_connection() {
    let fixture = Fixture::with(|settings| settings.max_connections = 1).await;
    fixture.execute("CREATE TABLE t (a int)").await;
    let connection = fixture.open();
    connection.execute("/* why not */ BEGIN", &[]).await.unwrap();
    connection.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    drop(connection);
    assert_eq!(fixture.value("SELECT count(*) FROM t").await, DbValue::Int64(0));
    assert_eq!(
        fixture
            .value("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()")
            .await,
        DbValue::Int64(0)
    );
    assert_eq!(fixture.pools.open_connections(), 1);
}

#[tokio::test]
async fn a_failed_statement_keeps_the_transaction_until_it_is_rolled_back() {
    let fixture = Fixture::new().await;
    let connection = fixture.open();
    connection.execute("BEGIN", &[]).await.unwrap();
    let error = connection.execute("SELECT 1/0", &[]).await.unwrap_err();
    assert_eq!(code(&error), "22012");
    let error = connection.execute("SELECT 1", &[]).await.unwrap_err();
    assert_eq!(code(&error), "25P02");
    connection.execute("ROLLBACK", &[]).await.unwrap();
    connection.execute("SELECT 1", &[]).await.unwrap();
}

#[tokio::test]
async fn a_commit_that_fails_ends_the_transaction() {
    let fixture = Fixture::with(|settings| settings.max_connections = 1).await;
    fixture.execute("CREATE TABLE t (a int PRIMARY KEY, b int REFERENCES t DEFERRABLE INITIALLY DEFERRED)").await;
    let connection = fixture.open();
    connection.execute("BEGIN", &[]).await.unwrap();
    connection.execute("INSERT INTO t VALUES (1, 2)", &[]).await.unwrap();
    let error = connection.execute("COMMIT", &[]).await.unwrap_err();
    assert_eq!(code(&error), "23503");
    // With one connection this would wait in vain if it were still held.
    fixture.execute("INSERT INTO t VALUES (3, 3)").await;
}

#[tokio::test]
async fn changed_session_state_stays_with_its_handle() {
    let fixture = Fixture::new().await;
    let connection = fixture.open();
    connection.execute("SET application_name = 'mine'", &[]).await.unwrap();
    let show = "SELECT current_setting('application_name')";
    let pid = value(&connection, PID, &[]).await.unwrap();
    assert_eq!(value(&connection, show, &[]).await.unwrap(), DbValue::Str("mine".into()));
    assert_eq!(fixture.value(show).await, DbValue::Str("plaza".into()));
    drop(connection);
    let gone = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {}", number(&pid));
    until("the changed connection is closed", || async { fixture.value(&gone).await == DbValue::Int64(0) }).await;
}

fn number(value: &DbValue) -> i32 {
    match value {
        DbValue::Int32(number) => *number,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn temporary_tables_and_advisory_locks_end_with_their_handle() {
    let fixture = Fixture::new().await;
    let connection = fixture.open();
    connection.execute("CREATE TEMP TABLE t AS SELECT 1 AS a", &[]).await.unwrap();
    connection.query("SELECT pg_advisory_lock(5)", &[]).await.unwrap();
    assert_eq!(value(&connection, "SELECT a FROM t", &[]).await.unwrap(), DbValue::Int32(1));
    drop(connection);
    let free = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
    until("the lock is released", || async { fixture.value(free).await == DbValue::Int64(0) }).await;
    assert_eq!(fixture.value("SELECT to_regclass('t')::text").await, DbValue::DbNull);
}

#[tokio::test]
async fn forgotten_prepared_statements_are_prepared_anew() {
    let fixture = Fixture::new().await;
    let connection = fixture.open();
    connection.execute("SET application_name = 'x'", &[]).await.unwrap();
    value(&connection, PID, &[]).await.unwrap();
    connection.execute("DEALLOCATE ALL", &[]).await.unwrap();
    value(&connection, PID, &[]).await.unwrap();
}

#[tokio::test]
async fn a_statement_survives_that_its_table_changes() {
    let fixture = Fixture::with(|settings| settings.max_connections = 1).await;
    fixture.execute("CREATE TABLE t AS SELECT 1 AS a").await;
    let select = "SELECT * FROM t";
    assert_eq!(fixture.open().query(select, &[]).await.unwrap().columns.len(), 1);
    fixture.execute("ALTER TABLE t ADD COLUMN b int").await;
    let rows = fixture.open().query(select, &[]).await.unwrap();
    assert_eq!((rows.columns.len(), rows.first[0].len()), (2, 2));
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_any_more_leaves_no_dirt() {
    let fixture = Fixture::with(|settings| settings.max_connections = 1).await;
    let connection = fixture.open();
    let sleeping = connection.query("SELECT pg_sleep(30)", &[]);
    assert!(tokio::time::timeout(Duration::from_millis(200), sleeping).await.is_err());
    assert_eq!(value(&connection, "SELECT $1::int4", &[ParameterValue::Int32(3)]).await.unwrap(), DbValue::Int32(3));
}

#[tokio::test]
async fn statements_of_a_lost_transaction_do_not_run_one_by_one() {
    let fixture = Fixture::new().await;
    fixture.execute("CREATE TABLE t (a int)").await;
    let connection = fixture.open();
    connection.execute("BEGIN", &[]).await.unwrap();
    let pid = number(&value(&connection, PID, &[]).await.unwrap());
    fixture.value(&format!("SELECT pg_terminate_backend({pid}, 5000)")).await;
    for _ in 0..2 {
        let error = connection.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap_err();
        assert!(matches!(*error, Error::ConnectionFailed(_)), "{error:?}");
    }
    connection.execute("ROLLBACK", &[]).await.unwrap_err();
    connection.execute("INSERT INTO t VALUES (2)", &[]).await.unwrap();
    assert_eq!(fixture.value("SELECT count(*) FROM t").await, DbValue::Int64(1));
}

#[tokio::test]
async fn a_restarted_database_is_connected_to_again() {
    let server = Server::start();
    let fixture = Fixture::on(&server, "postgres", |_| {});
    let connection = fixture.open();
    let before = value(&connection, PID, &[]).await.unwrap();
    server.crash();
    server.revive();
    let after = value(&connection, PID, &[]).await.unwrap();
    assert_ne!(before, after);
}

#[tokio::test]
async fn a_database_that_is_away_is_reported_within_the_time() {
    let server = Server::start();
    let fixture = Fixture::on(&server, "postgres", |_| {});
    let connection = fixture.open();
    value(&connection, PID, &[]).await.unwrap();
    server.crash();
    let start = Instant::now();
    let error = value(&connection, PID, &[]).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
    let Error::ConnectionFailed(message) = *error else { panic!("{error:?}") };
    assert!(message.contains(&format!("cannot connect to the database at 127.0.0.1:{}", server.port)), "{message}");
}

#[tokio::test]
async fn waiting_for_a_connection_ends_with_the_remedy() {
    let fixture = Fixture::with(|settings| settings.max_connections = 1).await;
    let connection = fixture.open();
    connection.execute("BEGIN", &[]).await.unwrap();
    let error = fixture.open().execute("SELECT 1", &[]).await.unwrap_err();
    let Error::ConnectionFailed(message) = *error else { panic!("{error:?}") };
    assert!(message.contains("limits.database_connections"), "{message}");
}

#[tokio::test]
async fn writes_are_announced_once_they_are_committed() {
    let fixture = Fixture::new().await;
    let announced = || async { tokio::time::timeout(Duration::ZERO, fixture.written.notified()).await.is_ok() };
    fixture.value("SELECT 1").await;
    assert!(!announced().await);
    fixture.execute("CREATE TABLE t (a int)").await;
    assert!(announced().await);
    fixture.value("WITH w AS (INSERT INTO t VALUES (1) RETURNING a) SELECT a FROM w").await;
    assert!(announced().await);
    let connection = fixture.open();
    connection.execute("BEGIN", &[]).await.unwrap();
    connection.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    assert!(!announced().await);
    connection.execute("COMMIT", &[]).await.unwrap();
    assert!(announced().await);
}

#[tokio::test]
async fn many_handles_at_once_share_few_connections() {
    let fixture = Fixture::new().await;
    let queries = (0..200).map(|number| {
        let connection = fixture.open();
        async move { value(&connection, "SELECT $1::int4 + 1", &[ParameterValue::Int32(number)]).await.unwrap() }
    });
    for (number, answer) in futures::future::join_all(queries).await.into_iter().enumerate() {
        assert_eq!(answer, DbValue::Int32(i32::try_from(number).unwrap() + 1));
    }
    assert!(fixture.pools.open_connections() <= 4);
}

#[tokio::test]
async fn closed_pools_leave_no_connection() {
    let fixture = Fixture::new().await;
    fixture.execute("SELECT 1").await;
    fixture.pools.close().await;
    assert_eq!(fixture.pools.open_connections(), 0);
    assert!(Connection::open(&fixture.pools, &fixture.address, None).is_err());
}
