//! Keeps values: `/set?key=…&value=…`, `/get?key=…`, `/exists?key=…`, `/delete?key=…` and `/keys`, in the store `default` or in
//! `store=…`. `/fill?count=…` sets so many keys, `/large?bytes=…` a value of that size, `/open?count=…` opens as many handles.

#![cfg(target_family = "wasm")]

use std::collections::HashMap;

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
    key_value::{Error, Store},
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default();
    let given: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let action = request.uri().path().rsplit('/').next().unwrap_or_default();
    Ok(answer(action, &given).await.unwrap_or_else(|error| format!("error {error:?}")))
}

async fn answer(action: &str, given: &HashMap<String, String>) -> Result<String, Error> {
    let of = |name: &str| given.get(name).map_or("", String::as_str);
    let number = |name: &str| of(name).parse().unwrap_or(0_usize);
    let label = given.get("store").map_or("default", String::as_str);
    let store = Store::open(label).await?;
    Ok(match action {
        "set" => store.set(of("key"), of("value")).await.map(|()| "set".to_owned())?,
        "get" => match store.get(of("key")).await? {
            Some(value) => String::from_utf8_lossy(&value).into_owned(),
            None => "none".to_owned(),
        },
        "exists" => store.exists(of("key")).await?.to_string(),
        "delete" => store.delete(of("key")).await.map(|()| "deleted".to_owned())?,
        "keys" => store.get_keys().await.collect().await?.join(" "),
        "fill" => {
            for number in 0..number("count") {
                store.set(format!("key-{number:05}"), [0]).await?;
            }
            "filled".to_owned()
        }
        "large" => store.set("large", vec![7; number("bytes")]).await.map(|()| "set".to_owned())?,
        "open" => {
            let mut open = Vec::new();
            for _ in 0..number("count") {
                open.push(Store::open(label).await?);
            }
            format!("{} open", open.len())
        }
        other => format!("no {other}"),
    })
}
