//! Tells what it finds about itself: `/environment` every variable of its environment, a line each, `/config?key=…` a value
//! of its configuration, `/count` how many requests its instance has had, `/connect?to=HOST:PORT` what a raw connection meets.

#![cfg(target_family = "wasm")]

use std::{
    net::TcpStream,
    sync::atomic::{AtomicU32, Ordering},
};

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "
            package test:looks-about;

            world reader {
                import wasi:config/store@0.2.0-draft-2024-09-27;
            }
        ",
        path: "../../../wit/deps/wasi-config",
        world: "test:looks-about/reader",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

use bindings::wasi::config::store;

static REQUESTS: AtomicU32 = AtomicU32::new(0);

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let count = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
    let query = request.uri().query().unwrap_or_default();
    let value = query.split_once('=').map_or("", |(_, value)| value);
    Ok(match request.uri().path().rsplit('/').next() {
        Some("environment") => std::env::vars().map(|(name, value)| format!("{name}={value}\n")).collect::<String>(),
        Some("config") => format!("{:?}", store::get(value)),
        Some("connect") => {
            TcpStream::connect(value).map_or_else(|error| format!("error {error}"), |_| "connected".into())
        }
        _ => count.to_string(),
    })
}
