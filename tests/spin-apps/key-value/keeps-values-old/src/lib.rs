//! Keeps values as a component of spin-sdk 3 does: `/set?key=…&value=…`, `/get?key=…`, `/exists?key=…`, `/delete?key=…`, `/keys`.

#![cfg(target_family = "wasm")]

use std::collections::HashMap;

use spin_sdk::{
    http::{IntoResponse, Request, Response},
    http_component,
    key_value::{Error, Store},
};

#[http_component]
fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let given: HashMap<String, String> = form_urlencoded::parse(request.query().as_bytes()).into_owned().collect();
    let action = request.path().rsplit('/').next().unwrap_or_default();
    let answer = answer(action, &given).unwrap_or_else(|error| format!("error {error:?}"));
    Ok(Response::new(200, answer))
}

fn answer(action: &str, given: &HashMap<String, String>) -> Result<String, Error> {
    let of = |name: &str| given.get(name).map_or("", String::as_str);
    let store = Store::open(given.get("store").map_or("default", String::as_str))?;
    Ok(match action {
        "set" => store.set(of("key"), of("value").as_bytes()).map(|()| "set".to_owned())?,
        "get" => match store.get(of("key"))? {
            Some(value) => String::from_utf8_lossy(&value).into_owned(),
            None => "none".to_owned(),
        },
        "exists" => store.exists(of("key"))?.to_string(),
        "delete" => store.delete(of("key")).map(|()| "deleted".to_owned())?,
        "keys" => store.get_keys()?.join(" "),
        other => format!("no {other}"),
    })
}
