//! A library for `asks`: exports `test:knows`.

#![cfg(target_family = "wasm")]

use std::{
    cell::Cell,
    sync::atomic::{AtomicU32, Ordering},
};

use spin_sdk::{http, key_value::Store, variables};

mod before;
mod bindings {
    use super::Knows;

    spin_sdk::wit_bindgen::generate!({
        path: "../../../wit/knows",
        world: "knowing",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
    export!(Knows);
}

use bindings::exports::test::knows::{counting, surroundings};

static CALLS: AtomicU32 = AtomicU32::new(0);

struct Knows;

struct Counter(Cell<u32>);

impl surroundings::Guest for Knows {
    async fn variable(name: String) -> Result<String, String> {
        variables::get(&name).await.map_err(|error| format!("{error:?}"))
    }

    async fn stored(key: String) -> Result<String, String> {
        let store = Store::open("default").await.map_err(|error| format!("{error:?}"))?;
        let value = store.get(&key).await.map_err(|error| format!("{error:?}"))?;
        Ok(String::from_utf8_lossy(&value.unwrap_or_default()).into_owned())
    }

    async fn fetched(url: String) -> Result<u16, String> {
        let response = http::get(&url).await.map_err(|error| format!("{error:?}"))?;
        Ok(response.status().as_u16())
    }

    async fn posted(url: String, bytes: u32) -> Result<u16, String> {
        before::post(&url, bytes)
    }

    fn environment() -> Vec<String> {
        let mut environment: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
        environment.sort();
        environment
    }

    fn files() -> Vec<String> {
        let entries = std::fs::read_dir("/").into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl counting::Guest for Knows {
    type Counter = Counter;

    fn calls() -> u32 {
        CALLS.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl counting::GuestCounter for Counter {
    fn new() -> Self {
        Self(Cell::new(0))
    }

    fn up(&self) -> u32 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}
