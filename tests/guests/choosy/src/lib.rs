//! Subscribes, and answers as the table `answers` says for the event's key: `reject …`, `retry …`, else it takes the event and notes
//! it, once. Each delivery is counted.

#![cfg(target_family = "wasm")]

use spin_sdk::{
    pg::{Connection, Decode, ParameterValue},
    variables,
};

mod bindings {
    use super::Choosy;

    spin_sdk::wit_bindgen::generate!({
        path: "../../../wit/plaza/events",
        world: "subscribing",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
    export!(Choosy);
}

use bindings::exports::plaza::events::subscriber::{Event, Failure, Guest};

struct Choosy;

const ANSWER: &str = "
    WITH delivery AS (INSERT INTO deliveries (key, attempt) VALUES ($1, $2))
    SELECT coalesce((SELECT answer FROM answers WHERE key = $1), 'take')";

const TAKE: &str = "
    WITH known AS (INSERT INTO inbox (event_id) VALUES ($1::text::uuid) ON CONFLICT DO NOTHING RETURNING event_id)
    INSERT INTO taken (event_id, key, value) SELECT event_id, $2, $3 FROM known";

impl Guest for Choosy {
    async fn handle(event: Event) -> Result<(), Failure> {
        let answer = answer(&event).await.map_err(|error| Failure::Retry(error.to_string()))?;
        match answer.split_once(' ') {
            Some(("reject", reason)) => Err(Failure::Reject(reason.to_owned())),
            Some(("retry", reason)) => Err(Failure::Retry(reason.to_owned())),
            _ => take(&event).await.map_err(|error| Failure::Retry(error.to_string())),
        }
    }
}

async fn answer(event: &Event) -> anyhow::Result<String> {
    let connection = Connection::open(variables::get("url").await?).await?;
    let params = [ParameterValue::Str(event.key.clone()), ParameterValue::Int32(i32::try_from(event.attempt)?)];
    let rows = connection.query(ANSWER, &params).await?.collect().await?;
    let row = rows.first().ok_or_else(|| anyhow::anyhow!("no row came"))?;
    Ok(String::decode(&row[0])?)
}

async fn take(event: &Event) -> anyhow::Result<()> {
    let connection = Connection::open(variables::get("url").await?).await?;
    let params = [&event.id, &event.key, &event.value].map(|text| ParameterValue::Str(text.clone()));
    connection.execute(TAKE, &params).await?;
    Ok(())
}
