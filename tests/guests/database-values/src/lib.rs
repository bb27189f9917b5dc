//! A test guest: uses Postgres through every version of the interface.
#![cfg(target_family = "wasm")]

use futures::future::join;
use spin_sdk::pg::{Connection, Decode, ParameterValue};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: [
            "wit/deps/postgres-4.0.0.wit",
            "../../../wit/deps/spin-postgres-3.0.0",
            "../../../wit/deps/fermyon-spin-postgres",
            "wit/world.wit",
        ],
        world: "tests:database/values",
        generate_all,
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
}

use bindings::fermyon::spin::postgres as v2;
use bindings::fermyon::spin::rdbms_types as v2_types;
use bindings::spin::postgres3_0_0::postgres as v3;
use bindings::spin::postgres4_0_0::postgres as v4;

struct Guest;

bindings::export!(Guest with_types_in bindings);

impl bindings::Guest for Guest {
    async fn run(name: String, address: String) -> Result<String, String> {
        match name.as_str() {
            "writes-and-reads" => writes_and_reads(&address).await,
            "reads-many" => reads_many(&address).await,
            "sleeps-twice" => sleeps_twice(&address).await,
            "leaves-a-transaction" => leaves_a_transaction(&address).await,
            "speaks-2.0.0" => speaks_2_0_0(&address),
            "speaks-3.0.0" => speaks_3_0_0(&address),
            "speaks-4.0.0" => speaks_4_0_0(&address),
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

fn speaks_2_0_0(address: &str) -> Result<String, String> {
    let connection = v2::Connection::open(address).map_err(text)?;
    let parameters = [v2_types::ParameterValue::Uint32(7), v2_types::ParameterValue::Str("a".to_owned())];
    let rows = connection.query("SELECT $1::int8, $2::text, null::int4, now()", &parameters).map_err(text)?;
    let count = connection.execute("SELECT 1", &[]).map_err(text)?;
    Ok(format!("{:?} {count}", rows.rows))
}

fn speaks_3_0_0(address: &str) -> Result<String, String> {
    let connection = v3::Connection::open(address).map_err(text)?;
    let parameters = [v3::ParameterValue::Date((2024, 2, 29)), v3::ParameterValue::Timestamp(0)];
    let sql = "SELECT $1::date, $2::timestamptz, 1.5::numeric";
    let rows = connection.query(sql, &parameters).map_err(text)?;
    let error = connection.query("SELECT 1/0", &[]).err().map(text).unwrap_or_default();
    Ok(format!("{:?} {error}", rows.rows))
}

fn speaks_4_0_0(address: &str) -> Result<String, String> {
    let connection = v4::Connection::open(address).map_err(text)?;
    let parameters = [v4::ParameterValue::Decimal("1.50".to_owned())];
    let rows = connection.query("SELECT $1::numeric, '[1,5)'::int4range", &parameters).map_err(text)?;
    let refused = v4::Connection::open("postgres://u@db.example/x").is_err();
    Ok(format!("{:?} {refused}", rows.rows))
}

fn text(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
