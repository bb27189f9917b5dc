//! Keeps values through `wasi:keyvalue`: `/get?key=…`, `/set?key=…&value=…`, `/count?key=…` adds one, `/keys` counts them page by page,
//! `/many` sets, reads and removes several at once, `/swap` lets two swaps of one value race.

#![cfg(target_family = "wasm")]

use std::collections::HashMap;

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

spin_sdk::wit_bindgen::generate!({
    inline: "
        package test:keeps-values;
        world keeps {
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:keyvalue/atomics@0.2.0-draft2;
            import wasi:keyvalue/batch@0.2.0-draft2;
        }
    ",
    path: "../../../../wit/deps/wasi-keyvalue",
    world: "test:keeps-values/keeps",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    generate_all,
});

use wasi::keyvalue::{
    atomics::{self, Cas, CasError},
    batch,
    store::{self, Bucket, Error},
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default();
    let given: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let action = request.uri().path().rsplit('/').next().unwrap_or_default();
    Ok(answer(action, &given).unwrap_or_else(|error| format!("error {error:?}")))
}

fn answer(action: &str, given: &HashMap<String, String>) -> Result<String, Error> {
    let of = |name: &str| given.get(name).map_or("", String::as_str);
    let bucket = store::open(given.get("store").map_or("default", String::as_str))?;
    Ok(match action {
        "get" => shown(bucket.get(of("key"))?),
        "set" => bucket.set(of("key"), of("value").as_bytes()).map(|()| "set".to_owned())?,
        "count" => atomics::increment(&bucket, of("key"), 1)?.to_string(),
        "keys" => keys(&bucket)?.len().to_string(),
        "many" => many(&bucket)?,
        "swap" => swap(&bucket)?,
        other => format!("no {other}"),
    })
}

fn keys(bucket: &Bucket) -> Result<Vec<String>, Error> {
    let mut page = bucket.list_keys(None)?;
    let mut keys = page.keys;
    while let Some(cursor) = page.cursor {
        page = bucket.list_keys(Some(&cursor))?;
        keys.extend(page.keys);
    }
    Ok(keys)
}

fn many(bucket: &Bucket) -> Result<String, Error> {
    let key = |name: &str| name.to_owned();
    batch::set_many(bucket, &[(key("first"), b"1".to_vec()), (key("second"), b"2".to_vec())])?;
    batch::delete_many(bucket, &[key("first"), key("third")])?;
    let found = batch::get_many(bucket, &["second", "first", "second"].map(key))?;
    let shown = found.into_iter().map(|(key, value)| format!("{key}={}", shown(value)));
    Ok(shown.collect::<Vec<_>>().join(" "))
}

fn swap(bucket: &Bucket) -> Result<String, Error> {
    bucket.set("swapped", b"before")?;
    let (quick, slow) = (Cas::new(bucket, "swapped")?, Cas::new(bucket, "swapped")?);
    let known = shown(slow.current()?);
    let first = atomics::swap(quick, b"quick").is_ok();
    let again = match atomics::swap(slow, b"slow") {
        Err(CasError::CasFailed(again)) => again,
        other => return Ok(format!("the slow one went through: {other:?}")),
    };
    let seen = shown(again.current()?);
    let second = atomics::swap(again, b"slow").is_ok();
    Ok(format!("{known} {first} {seen} {second} {}", shown(bucket.get("swapped")?)))
}

fn shown(value: Option<Vec<u8>>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| String::from_utf8_lossy(&value).into_owned())
}
