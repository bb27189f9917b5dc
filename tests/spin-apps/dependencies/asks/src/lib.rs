//! Tells what it finds out itself, at `/own/variable?NAME`, `/own/environment` and `/own/files`, and what the component does that it
//! imports: `/part/variable?NAME`, `/part/stored?KEY`, `/part/fetched?URL`, `/part/posted?BYTES,URL`,
//! `/part/environment`, `/part/files`, `/part/counted`.

#![cfg(target_family = "wasm")]

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service, variables,
};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../../wit/knows",
        world: "asking",
        runtime_path: "spin_sdk::wit_bindgen::rt",
    });
}

use bindings::test::knows::{
    counting::{self, Counter},
    surroundings,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let argument = request.uri().query().unwrap_or_default().to_owned();
    let mut path = request.uri().path().rsplit('/');
    let (what, who) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
    Ok(match who {
        "own" => own(what, &argument).await,
        _ => part(what, argument).await,
    })
}

async fn own(what: &str, argument: &str) -> String {
    match what {
        "variable" => variables::get(argument).await.unwrap_or_else(|error| format!("error {error:?}")),
        "environment" => std::env::vars().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "),
        "files" => std::fs::read_to_string("/note.txt").unwrap_or_else(|error| format!("error {error}")),
        other => format!("no {other}"),
    }
}

async fn part(what: &str, argument: String) -> String {
    let told = |answer: Result<String, String>| answer.unwrap_or_else(|error| format!("error {error}"));
    match what {
        "variable" => told(surroundings::variable(argument).await),
        "stored" => told(surroundings::stored(argument).await),
        "fetched" => told(surroundings::fetched(argument).await.map(|status| status.to_string())),
        "posted" => {
            let (bytes, url) = argument.split_once(',').unwrap_or(("0", &argument));
            let bytes = bytes.parse().unwrap_or_default();
            told(surroundings::posted(url.to_owned(), bytes).await.map(|status| status.to_string()))
        }
        "environment" => surroundings::environment().join(" "),
        "files" => surroundings::files().join(" "),
        "counted" => {
            let (one, other) = (Counter::new(), Counter::new());
            format!("{} {} {} after {}", one.up(), one.up(), other.up(), counting::calls())
        }
        other => format!("no {other}"),
    }
}
