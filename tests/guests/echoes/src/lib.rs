//! What `calls` calls: exports `test:echo/echo`. The text `cycle` is sent back to `calls`, which sends it here again.

#![cfg(target_family = "wasm")]

use std::time::Duration;

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service, time,
};

mod bindings {
    use super::Echoes;

    spin_sdk::wit_bindgen::generate!({
        path: "../../wit/echo-1",
        world: "echoing",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
    export!(Echoes);
}

use bindings::{
    exports::test::echo::echo::{Error, Guest},
    test::echo::back,
};

struct Echoes;

impl Guest for Echoes {
    async fn echo(text: String) -> Result<String, Error> {
        match text.as_str() {
            "" => Err(Error::Empty),
            "cycle" => back::again(text).await.map_err(Error::Unavailable),
            _ => Ok(text),
        }
    }

    async fn sleep(wait_ms: u64) {
        time::sleep(Duration::from_millis(wait_ms)).await;
    }

    async fn trap() -> String {
        panic!("the test asked for a trap")
    }
}

#[http_service]
async fn handle(_request: Request) -> anyhow::Result<impl IntoResponse> {
    Ok("echoes")
}
