//! Keeps rows through `spin:sqlite@3.0.0`: `/run?sql=…&sql=…` runs statements on one connection to `default`, and answers how many rows
//! the last one had, how many it changed, and the row id of the last one that was inserted.

#![cfg(target_family = "wasm")]

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

spin_sdk::wit_bindgen::generate!({
    inline: "package test:keeps-rows; world keeps { import spin:sqlite/sqlite@3.0.0; }",
    path: "interfaces",
    world: "test:keeps-rows/keeps",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    generate_all,
});

use spin::sqlite::sqlite::{Connection, Error, Value};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default();
    let given: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Ok(answer(&given).unwrap_or_else(|error| format!("error {error:?}")))
}

fn answer(given: &[(String, String)]) -> Result<String, Error> {
    let connection = Connection::open("default")?;
    let mut rows = 0;
    for (_, sql) in given.iter().filter(|(key, _)| key == "sql") {
        rows = connection.execute(sql, &[] as &[Value])?.rows.len();
    }
    Ok(format!("{rows} rows, {} changed, row id {}", connection.changes(), connection.last_insert_rowid()))
}
