//! Speaks spin:postgres/postgres@4.2.0 and nothing else.
#![cfg(target_family = "wasm")]

#[macro_use]
mod asking;
mod four;

mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/deps/spin-postgres-4.2.0"],
        inline: "package tests:speaks; world speaks {
            import spin:postgres/postgres@4.2.0;
            export run: async func(name: string, address: string) -> result<string, string>;
        }",
        world: "tests:speaks/speaks",
        generate_all,
    });
}

use bindings::spin::postgres::postgres;

ask!(postgres::Connection, postgres::ParameterValue, four::cases,
    "builds" => builds, "values-async" => values_async, "counts-async" => counts_async, "failures-async" => failures_async);

/// Opens a connection by a builder, whose root certificate must be one.
async fn builds(address: &str) -> Result<String, String> {
    let builder = postgres::ConnectionBuilder::new(address);
    let refused = builder.set_ca_root("no certificate").is_err();
    let answer = builder.build().map_err(text)?.query("SELECT 1", &[]).map_err(text)?;
    let connection = postgres::ConnectionBuilder::new(address).build_async().await.map_err(text)?;
    let (_, rows, _) = connection.query_async("SELECT 1".to_owned(), Vec::new()).await.map_err(text)?;
    Ok(format!("{refused} {:?} {:?}", answer.rows, rows.collect().await))
}

/// The same as `values`, by the functions that do not hold up the instance.
async fn values_async(address: &str) -> Result<String, String> {
    let connection = postgres::Connection::open_async(address.to_owned()).await.map_err(text)?;
    let mut lines = Vec::new();
    for (target, parameter) in four::cases() {
        let statement = format!("SELECT $1::{target}");
        let (columns, rows, outcome) = connection.query_async(statement, vec![parameter]).await.map_err(text)?;
        let rows = rows.collect().await;
        outcome.await.map_err(text)?;
        let types: Vec<_> = columns.iter().map(|column| &column.data_type).collect();
        lines.push(format!("{target} {types:?} {rows:?}"));
    }
    Ok(lines.join("\n"))
}

/// The same as `counts`.
async fn counts_async(address: &str) -> Result<String, String> {
    let connection = postgres::Connection::open_async(address.to_owned()).await.map_err(text)?;
    let execute = |statement: &str| connection.execute_async(statement.to_owned(), Vec::new());
    let made = execute("CREATE TABLE counted (id int)").await.map_err(text)?;
    let inserted = execute("INSERT INTO counted VALUES (1), (2)").await.map_err(text)?;
    let updated = execute("UPDATE counted SET id = 3").await.map_err(text)?;
    let statement = "SELECT id AS number FROM counted WHERE id = 0".to_owned();
    let (columns, rows, outcome) = connection.query_async(statement, Vec::new()).await.map_err(text)?;
    let rows = rows.collect().await;
    outcome.await.map_err(text)?;
    Ok(format!("{made} {inserted} {updated} {} {}", columns[0].name, rows.len()))
}

/// The same as `failures`.
async fn failures_async(address: &str) -> Result<String, String> {
    let refused = postgres::Connection::open_async("postgres://u@db.example/x".to_owned()).await;
    let connection = postgres::Connection::open_async(address.to_owned()).await.map_err(text)?;
    let bad = connection.query_async("SELECT $1::int4".to_owned(), Vec::new()).await;
    let failed = connection.query_async("SELECT 1/0".to_owned(), Vec::new()).await;
    let errors = [refused.err().map(text), bad.err().map(text), failed.err().map(text)];
    Ok(errors.map(Option::unwrap_or_default).join("\n"))
}
