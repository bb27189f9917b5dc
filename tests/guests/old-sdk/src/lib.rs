//! A component as spin-sdk 3 makes it: `/` answers a text and prints a line, `/database` asks its database for a sum,
//! `/exit` ends its process, `/trap` panics.

#![cfg(target_family = "wasm")]

use anyhow::{Context, bail};
use spin_sdk::{
    http::{IntoResponse, Request, Response},
    http_component,
    pg::{Connection, Decode, ParameterValue},
    variables,
};

#[http_component]
fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let text = match request.path().rsplit('/').next() {
        Some("database") => sum(20, 22)?.to_string(),
        Some("exit") => std::process::exit(3),
        Some("trap") => panic!("the old guest gave up"),
        _ => {
            println!("the old guest was asked for {}", request.path());
            "hello from preview 1".to_owned()
        }
    };
    Ok(Response::new(200, text))
}

/// What the database makes of `left + right`.
fn sum(left: i64, right: i64) -> anyhow::Result<i64> {
    let connection = Connection::open(&variables::get("url")?)?;
    let parameters = [ParameterValue::Int64(left), ParameterValue::Int64(right)];
    let answer = connection.query("SELECT $1::bigint + $2::bigint AS sum", &parameters)?;
    let Some(value) = answer.rows.first().and_then(|row| row.first()) else { bail!("no row came") };
    i64::decode(value).context("the sum is no number")
}
