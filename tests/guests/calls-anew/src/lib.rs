//! What `calls` is after the interface it calls has changed: imports `test:echo/echo@2.0.0`, and answers with what comes back.

#![cfg(target_family = "wasm")]

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../wit/echo-2",
        world: "caller",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
}

use bindings::test::echo::echo;

#[http_service]
async fn handle(_request: Request) -> anyhow::Result<impl IntoResponse> {
    Ok(echo::echo("ha".to_owned(), 3).await)
}
