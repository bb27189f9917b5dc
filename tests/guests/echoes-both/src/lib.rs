//! What `echoes` becomes while its interface changes: exports `test:echo/echo` in both versions.

#![cfg(target_family = "wasm")]

use std::time::Duration;

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service, time,
};

mod bindings {
    use super::Both;

    spin_sdk::wit_bindgen::generate!({
        inline: "
            package test:both;
            world both {
                export test:echo/echo@1.0.0;
                export test:echo/echo@2.0.0;
            }
        ",
        path: ["../../wit/echo-1", "../../wit/echo-2"],
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
    export!(Both);
}

use bindings::exports::test::{echo1_0_0::echo as old, echo2_0_0::echo as new};

struct Both;

impl old::Guest for Both {
    async fn echo(text: String) -> Result<String, old::Error> {
        match text.as_str() {
            "" => Err(old::Error::Empty),
            // What is new answers for what is old.
            _ => Ok(<Self as new::Guest>::echo(text, 1).await),
        }
    }

    async fn sleep(wait_ms: u64) {
        time::sleep(Duration::from_millis(wait_ms)).await;
    }

    async fn trap() -> String {
        panic!("the test asked for a trap")
    }
}

impl new::Guest for Both {
    async fn echo(text: String, times: u32) -> String {
        text.repeat(times as usize)
    }
}

#[http_service]
async fn handle(_request: Request) -> anyhow::Result<impl IntoResponse> {
    Ok("echoes both")
}
