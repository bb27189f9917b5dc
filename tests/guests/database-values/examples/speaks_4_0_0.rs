//! Speaks spin:postgres/postgres@4.0.0 and nothing else.
#![cfg(target_family = "wasm")]

#[macro_use]
mod asking;
mod four;

mod bindings {
    wit_bindgen::generate!({
        path: ["interfaces/postgres-4.0.0.wit"],
        inline: "package tests:speaks; world speaks {
            import spin:postgres/postgres@4.0.0;
            export run: async func(name: string, address: string) -> result<string, string>;
        }",
        world: "tests:speaks/speaks",
        generate_all,
    });
}

use bindings::spin::postgres::postgres;

struct Guest;

bindings::export!(Guest with_types_in bindings);

impl bindings::Guest for Guest {
    async fn run(name: String, address: String) -> Result<String, String> {
        match name.as_str() {
            "values" => values(&address),
            "counts" => counts(&address),
            "failures" => failures(&address),
            other => Err(format!("no case {other}")),
        }
    }
}

ask!(postgres::Connection, postgres::ParameterValue, four::cases);
