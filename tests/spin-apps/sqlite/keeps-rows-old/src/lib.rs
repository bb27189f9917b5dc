//! Keeps rows as a component of spin-sdk 3 does: `/run?sql=…&sql=…` runs statements on one connection to `default`, or to
//! `database=…`, and answers the rows of the last one.

#![cfg(target_family = "wasm")]

use spin_sdk::{
    http::{IntoResponse, Request, Response},
    http_component,
    sqlite::{Connection, Error, Value},
};

#[http_component]
fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let given: Vec<(String, String)> = form_urlencoded::parse(request.query().as_bytes()).into_owned().collect();
    Ok(Response::new(200, answer(&given).unwrap_or_else(|error| format!("error {error:?}"))))
}

fn answer(given: &[(String, String)]) -> Result<String, Error> {
    let all = |name: &'static str| given.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str());
    let connection = Connection::open(all("database").next().unwrap_or("default"))?;
    let mut shown = String::new();
    for sql in all("sql") {
        let result = connection.execute(sql, &[])?;
        let row = |values: &[Value]| values.iter().map(show).collect::<Vec<_>>().join("|");
        shown = result.rows.iter().map(|found| row(&found.values)).collect::<Vec<_>>().join("\n");
    }
    Ok(shown)
}

fn show(value: &Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(blob) => format!("{blob:?}"),
        Value::Null => "null".to_owned(),
    }
}
