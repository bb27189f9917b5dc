//! Speaks fermyon:spin/postgres@2.0.0 and nothing else.
#![cfg(target_family = "wasm")]

#[macro_use]
mod asking;

mod bindings {
    wit_bindgen::generate!({
        path: ["../../../wit/deps/fermyon-spin-postgres"],
        inline: "package tests:speaks; world speaks {
            import fermyon:spin/postgres@2.0.0;
            export run: async func(name: string, address: string) -> result<string, string>;
        }",
        world: "tests:speaks/speaks",
        generate_all,
    });
}

use bindings::fermyon::spin::{postgres::Connection, rdbms_types::ParameterValue};

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
        ("int2", P::Uint8(u8::MAX)),
        ("int4", P::Uint16(u16::MAX)),
        ("int8", P::Uint32(u32::MAX)),
        ("int8", P::Uint64(1 << 62)),
        ("numeric::text", P::Uint64(u64::MAX)),
        ("float4", P::Floating32(1.5)),
        ("float8", P::Floating64(-0.1)),
        ("text", P::Str("Grüße".to_owned())),
        ("bytea", P::Binary(vec![0, 255])),
        ("int8", P::DbNull),
        ("date", P::Str("2024-02-29".to_owned())),
        ("numeric", P::Int32(1)),
    ]
}
