//! Speaks spin:postgres/postgres@3.0.0 and nothing else.
#![cfg(target_family = "wasm")]

#[macro_use]
mod asking;

mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/deps/spin-postgres-3.0.0"],
        inline: "package tests:speaks; world speaks {
            import spin:postgres/postgres@3.0.0;
            export run: async func(name: string, address: string) -> result<string, string>;
        }",
        world: "tests:speaks/speaks",
        generate_all,
    });
}

use bindings::spin::postgres::postgres::{Connection, ParameterValue};

ask!(Connection, ParameterValue, cases);

/// Every parameter that the version has, and types that it cannot say.
fn cases() -> Vec<(&'static str, ParameterValue)> {
    use ParameterValue as P;
    vec![
        ("bool", P::Boolean(true)),
        ("int2", P::Int8(-7)),
        ("int2", P::Int16(i16::MIN)),
        ("int4", P::Int32(i32::MAX)),
        ("int8", P::Int64(i64::MIN)),
        ("float4", P::Floating32(1.5)),
        ("float8", P::Floating64(-0.1)),
        ("text", P::Str("Grüße".to_owned())),
        ("bytea", P::Binary(vec![0, 255])),
        ("date", P::Date((2024, 2, 29))),
        ("time", P::Time((23, 59, 59, 999_999_000))),
        ("timestamp", P::Datetime((2024, 2, 29, 12, 30, 45, 123_456_000))),
        ("timestamptz", P::Timestamp(1)),
        ("int8", P::DbNull),
        ("uuid", P::Str("67e55044-10b1-426f-9247-bb680e5fe0c8".to_owned())),
        ("numeric", P::Int32(1)),
    ]
}
