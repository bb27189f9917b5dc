//! Many rows.

use super::{Fixture, value};
use plaza::capability::postgres::{DbValue, Error};

const MANY: &str = "SELECT nextval('s'), repeat('x', 1000) FROM generate_series(1, 100000)";

#[tokio::test]
async fn a_hundred_thousand_rows_stream_in_bounded_memory() {
    let fixture = Fixture::new().await;
    fixture.execute("CREATE SEQUENCE s").await;
    let rows = fixture.open().query_stream(MANY.to_owned(), vec![]).await.unwrap();
    let mut count = rows.first.len();
    let mut next_look = 0;
    let mut rest = rows.rest.unwrap();
    while let Some(batch) = rest.next().await {
        assert!(batch.len() <= 128);
        count += batch.len();
        if count >= next_look {
            next_look += 5_000;
            // What the server has made and nobody has read stands in the sockets' buffers, not in the host.
            let DbValue::Int64(made) = fixture.value("SELECT last_value FROM s").await else { panic!() };
            assert!(made - i64::try_from(count).unwrap() < 40_000, "{made} rows made, {count} read");
        }
    }
    rest.outcome().await.unwrap();
    assert_eq!(count, 100_000);
}

#[tokio::test]
async fn few_rows_come_at_once_and_free_the_connection() {
    let fixture = Fixture::with(|settings| settings.max_connections = 1).await;
    let rows = fixture.open().query_stream("SELECT generate_series(1, 100)".to_owned(), vec![]).await.unwrap();
    assert!(rows.rest.is_none());
    assert_eq!(rows.first.len(), 100);
    fixture.value("SELECT 1").await;
}

#[tokio::test]
async fn a_list_that_is_too_large_is_refused_by_name() {
    let fixture = Fixture::new().await;
    let error =
        fixture.open().query("SELECT repeat('x', 1000) FROM generate_series(1, 100000)", &[]).await.err().unwrap();
    let Error::Other(message) = *error else { panic!("{error:?}") };
    assert!(message.contains("limits.query_bytes (1048576 bytes)"), "{message}");
}

#[tokio::test]
async fn a_list_that_is_too_large_leaves_its_transaction_alone() {
    let fixture = Fixture::new().await;
    fixture.execute("CREATE TABLE t (a int)").await;
    let connection = fixture.open();
    connection.execute("BEGIN", &[]).await.unwrap();
    connection.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    let query = connection.query("SELECT repeat('x', 1000) FROM generate_series(1, 5000)", &[]);
    assert!(matches!(*query.await.err().unwrap(), Error::Other(_)));
    connection.execute("COMMIT", &[]).await.unwrap();
    assert_eq!(fixture.value("SELECT count(*) FROM t").await, DbValue::Int64(1));
}

#[tokio::test]
async fn an_error_after_the_first_rows_is_the_streams_outcome() {
    let fixture = Fixture::new().await;
    let sql = "SELECT 1 / (5000 - i) FROM generate_series(1, 10000) AS i";
    let rows = fixture.open().query_stream(sql.to_owned(), vec![]).await.unwrap();
    let mut rest = rows.rest.unwrap();
    while rest.next().await.is_some() {}
    let error = rest.outcome().await.unwrap_err();
    assert_eq!(super::code(&error), "22012");
}

#[tokio::test]
async fn a_transaction_goes_on_while_its_stream_is_unread() {
    let fixture = Fixture::new().await;
    let connection = fixture.open();
    connection.execute("BEGIN", &[]).await.unwrap();
    let sql = "SELECT generate_series(1, 5000)".to_owned();
    let rows = connection.query_stream(sql, vec![]).await.unwrap();
    assert_eq!(value(&connection, "SELECT 1", &[]).await.unwrap(), DbValue::Int32(1));
    let mut count = rows.first.len();
    let mut rest = rows.rest.unwrap();
    while let Some(batch) = rest.next().await {
        count += batch.len();
    }
    rest.outcome().await.unwrap();
    assert_eq!(count, 5000);
    connection.execute("COMMIT", &[]).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_is_dropped_frees_its_connection_and_keeps_its_transaction() {
    let fixture = Fixture::with(|settings| settings.max_connections = 1).await;
    fixture.execute("CREATE TABLE t (a int)").await;
    let many = "SELECT generate_series(1, 100000)".to_owned();
    drop(fixture.open().query_stream(many.clone(), vec![]).await.unwrap());
    let connection = fixture.open();
    connection.execute("BEGIN", &[]).await.unwrap();
    connection.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    drop(connection.query_stream(many, vec![]).await.unwrap());
    connection.execute("COMMIT", &[]).await.unwrap();
    assert_eq!(fixture.value("SELECT count(*) FROM t").await, DbValue::Int64(1));
}

#[tokio::test]
async fn a_handle_dropped_with_its_stream_frees_the_connection() {
    let fixture = Fixture::with(|settings| settings.max_connections = 1).await;
    let connection = fixture.open();
    connection.execute("BEGIN", &[]).await.unwrap();
    let rows = connection.query_stream("SELECT generate_series(1, 1000000)".to_owned(), vec![]).await.unwrap();
    drop(connection);
    drop(rows);
    assert_eq!(fixture.value("SELECT 1").await, DbValue::Int32(1));
}
