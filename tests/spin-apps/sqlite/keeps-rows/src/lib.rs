//! Keeps rows: `/run?sql=…&sql=…` runs statements on one connection to `default`, or to `database=…`, and answers the rows of the last
//! one. `/count?sql=…` counts the rows of a statement as they stream. `/open?count=…` opens as many connections.

#![cfg(target_family = "wasm")]

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
    sqlite::{Connection, Error, Value},
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default();
    let given: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let action = request.uri().path().rsplit('/').next().unwrap_or_default();
    Ok(answer(action, &given).await.unwrap_or_else(|error| format!("error {error:?}")))
}

async fn answer(action: &str, given: &[(String, String)]) -> Result<String, Error> {
    let all = |name: &'static str| given.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str());
    let database = all("database").next().unwrap_or("default");
    let connection = Connection::open(database).await?;
    Ok(match action {
        "run" => {
            let mut shown = String::new();
            for sql in all("sql") {
                let rows = connection.execute(sql, []).await?.collect().await?;
                let row = |values: &[Value]| values.iter().map(show).collect::<Vec<_>>().join("|");
                shown = rows.iter().map(|found| row(&found.values)).collect::<Vec<_>>().join("\n");
            }
            shown
        }
        "count" => {
            let mut rows = connection.execute(all("sql").next().unwrap_or_default(), []).await?;
            let mut count = 0;
            while rows.next().await.is_some() {
                count += 1;
            }
            rows.result().await?;
            count.to_string()
        }
        "open" => {
            let mut open = vec![connection];
            for _ in 1..all("count").next().and_then(|count| count.parse().ok()).unwrap_or(1) {
                open.push(Connection::open(database).await?);
            }
            format!("{} open", open.len())
        }
        other => format!("no {other}"),
    })
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
