//! What `echoes` is after its interface has changed: exports `test:echo/echo@2.0.0` alone.

#![cfg(target_family = "wasm")]

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

mod bindings {
    use super::Anew;

    spin_sdk::wit_bindgen::generate!({
        path: "../../wit/echo-2",
        world: "echoing",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
    export!(Anew);
}

use bindings::exports::test::echo::echo::Guest;

struct Anew;

impl Guest for Anew {
    async fn echo(text: String, times: u32) -> String {
        text.repeat(times as usize)
    }
}

#[http_service]
async fn handle(_request: Request) -> anyhow::Result<impl IntoResponse> {
    Ok("echoes anew")
}
