//! Calls `echoes` over a link: `/n?count=N` N times, answering the slowest call; `/sleep?ms=N`, `/trap`, `/empty` once;
//! `/cycle` starts a call that comes back here and would go on for ever.

#![cfg(target_family = "wasm")]

use std::time::Instant;

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

mod bindings {
    use super::Calls;

    spin_sdk::wit_bindgen::generate!({
        path: "../../wit/echo-1",
        world: "caller",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
    export!(Calls);
}

use bindings::{exports::test::echo::back::Guest, test::echo::echo};

struct Calls;

impl Guest for Calls {
    async fn again(text: String) -> Result<String, String> {
        echo::echo(text).await.map_err(|error| format!("{error:?}"))
    }
}

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default();
    let number = query.split_once('=').map_or("1", |(_, value)| value).parse()?;
    Ok(match request.uri().path().rsplit('/').next() {
        Some("sleep") => {
            echo::sleep(number).await;
            "slept".to_owned()
        }
        Some("trap") => echo::trap().await,
        Some("empty") => format!("{:?}", echo::echo(String::new()).await),
        Some("cycle") => format!("{:?}", echo::echo("cycle".to_owned()).await),
        _ => call(number).await,
    })
}

async fn call(count: u64) -> String {
    let mut slowest_us = 0;
    for number in 0..count {
        let text = number.to_string();
        let start = Instant::now();
        let answer = echo::echo(text.clone()).await;
        slowest_us = slowest_us.max(start.elapsed().as_micros());
        if !matches!(&answer, Ok(back) if *back == text) {
            return format!("call {number} answered {answer:?}");
        }
    }
    format!("{count} calls, the slowest {slowest_us} us")
}
