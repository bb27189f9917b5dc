//! A component of WASI 0.3.0-rc-2026-03-15, as spin-sdk 6 makes it: `/echo` answers the request's body, `/get?url=…` the status of a
//! request it sends, `/visits` how often it was asked, `/late` the seconds that a pause of 50 ms took, rounded down, and `/mqtt`, `/mysql` and
//! `/llm` what it is told when it asks for those.

#![cfg(target_family = "wasm")]

use http_body_util::BodyExt;
use spin_sdk::{
    http::{self, IntoResponse, Request},
    http_service,
    key_value::Store,
    llm, mqtt, mysql,
    wasip3::clocks::monotonic_clock,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let (path, query) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    Ok(match path.as_str() {
        "/echo" => String::from_utf8_lossy(&request.into_body().collect().await?.to_bytes()).into_owned(),
        "/get" => match http::get(query.strip_prefix("url=").unwrap_or_default()).await {
            Ok(response) => format!("status {}", response.status().as_u16()),
            Err(error) => format!("error {error:?}"),
        },
        "/visits" => visits().await?.to_string(),
        "/late" => {
            let began = monotonic_clock::now();
            monotonic_clock::wait_for(50_000_000).await;
            ((monotonic_clock::now() - began) / 1_000_000_000).to_string()
        }
        "/mqtt" => told(mqtt::Connection::open("mqtt://localhost?client_id=1", "", "", 1).await),
        "/mysql" => told(mysql::Connection::open("mysql://localhost")),
        "/llm" => told(llm::infer(llm::InferencingModel::Llama2Chat, "Hello")),
        other => format!("no {other}"),
    })
}

fn told<T, E: std::fmt::Debug>(answer: Result<T, E>) -> String {
    answer.err().map_or_else(|| "an answer".to_owned(), |error| format!("{error:?}"))
}

async fn visits() -> anyhow::Result<u32> {
    let store = Store::open_default().await?;
    let before = store.get("visits").await?.unwrap_or_default();
    let visits = String::from_utf8(before)?.parse().unwrap_or(0) + 1;
    store.set("visits", visits.to_string().as_bytes()).await?;
    Ok(visits)
}
