//! Speaks spin:postgres/postgres@4.1.0 and nothing else.
#![cfg(target_family = "wasm")]

#[macro_use]
mod asking;
mod four;

mod bindings {
    wit_bindgen::generate!({
        path: ["interfaces/postgres-4.1.0.wit"],
        inline: "package tests:speaks; world speaks {
            import spin:postgres/postgres@4.1.0;
            export run: async func(name: string, address: string) -> result<string, string>;
        }",
        world: "tests:speaks/speaks",
        generate_all,
    });
}

use bindings::spin::postgres::postgres;

ask!(postgres::Connection, postgres::ParameterValue, four::cases, "builds" => builds);

/// Opens a connection by a builder, whose root certificate must be one.
async fn builds(address: &str) -> Result<String, String> {
    let builder = postgres::ConnectionBuilder::new(address);
    let refused = builder.set_ca_root("no certificate").is_err();
    let answer = builder.build().map_err(text)?.query("SELECT 1", &[]).map_err(text)?;
    Ok(format!("{refused} {:?}", answer.rows))
}
