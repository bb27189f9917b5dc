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

ask!(postgres::Connection, postgres::ParameterValue, four::cases);
