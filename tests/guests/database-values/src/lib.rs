//! A test guest: uses Postgres through the SDK. Its neighbours in `examples/` speak one version of the interface each.
#![cfg(target_family = "wasm")]

use futures::future::join;
use spin_sdk::pg::{Connection, Decode, ParameterValue};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "package tests:database; world values {
            export run: async func(name: string, address: string) -> result<string, string>;
        }",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
}

struct Guest;

bindings::export!(Guest with_types_in bindings);

impl bindings::Guest for Guest {
    async fn run(name: String, address: String) -> Result<String, String> {
        match name.as_str() {
            "writes-and-reads" => writes_and_reads(&address).await,
            "reads-many" => reads_many(&address).await,
            "sleeps-twice" => sleeps_twice(&address).await,
            "leaves-a-transaction" => leaves_a_transaction(&address).await,
            other => Err(format!("no case {other}")),
        }
    }
}

async fn writes_and_reads(address: &str) -> Result<String, String> {
    let connection = Connection::open(address).await.map_err(text)?;
    connection.execute("CREATE TABLE notes (id int8, body text, at timestamptz)", []).await.map_err(text)?;
    let row = [1_i64.into(), "hello".to_owned().into(), ParameterValue::DbNull];
    let inserted = connection.execute("INSERT INTO notes VALUES ($1, $2, $3)", row).await.map_err(text)?;
    let mut answer = connection.query("SELECT id, body, at FROM notes", []).await.map_err(text)?;
    let row = answer.next().await.ok_or("no row")?;
    let (id, body) = (row.get::<i64>("id"), row.get::<String>("body"));
    let at = Option::<i64>::decode(&row[2]).map_err(text)?;
    answer.result().await.map_err(text)?;
    let error = connection.execute("INSERT INTO nowhere VALUES (1)", []).await.err().map(text).unwrap_or_default();
    Ok(format!("{inserted} {id:?} {body:?} {at:?} {}", error.contains("42P01")))
}

async fn reads_many(address: &str) -> Result<String, String> {
    let connection = Connection::open(address).await.map_err(text)?;
    let sql = "SELECT i, repeat('x', 100) FROM generate_series(1::int8, 100000) AS i";
    let mut answer = connection.query(sql, []).await.map_err(text)?;
    let (mut count, mut sum) = (0_i64, 0_i64);
    while let Some(row) = answer.next().await {
        count += 1;
        sum += i64::decode(&row[0]).map_err(text)?;
    }
    answer.result().await.map_err(text)?;
    Ok(format!("{count} {sum}"))
}

async fn sleeps_twice(address: &str) -> Result<String, String> {
    let connection = Connection::open(address).await.map_err(text)?;
    let sleep = || connection.execute("SELECT pg_sleep(0.5)", []);
    let (first, second) = join(sleep(), sleep()).await;
    Ok(format!("{} {}", first.map_err(text)?, second.map_err(text)?))
}

async fn leaves_a_transaction(address: &str) -> Result<String, String> {
    let connection = Connection::open(address).await.map_err(text)?;
    connection.execute("BEGIN", []).await.map_err(text)?;
    connection.execute("CREATE TABLE left_behind ()", []).await.map_err(text)?;
    std::mem::forget(connection);
    Ok(String::new())
}

fn text(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
