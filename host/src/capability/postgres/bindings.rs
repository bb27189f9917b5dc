//! Generated from `wit/deps`: one module for each major version of the interface.
#![expect(missing_docs, reason = "generated; the WIT files document it")]

/// `spin:postgres@4.2.0`, whose types are this capability's own model of values.
pub mod v4 {
    wasmtime::component::bindgen!({
        path: "../wit/deps/spin-postgres-4.2.0",
        inline: "package plaza:postgres-four; world imports { import spin:postgres/postgres@4.2.0; }",
        world: "plaza:postgres-four/imports",
        imports: { default: async | trappable },
        with: {
            "spin:postgres/postgres.connection": crate::capability::postgres::connection::Connection,
            "spin:postgres/postgres.connection-builder": crate::capability::postgres::host_v4::ConnectionBuilder,
        },
        additional_derives: [PartialEq],
    });
}

/// `spin:postgres@3.0.0`.
pub mod v3 {
    wasmtime::component::bindgen!({
        path: "../wit/deps/spin-postgres-3.0.0",
        inline: "package plaza:postgres-three; world imports { import spin:postgres/postgres@3.0.0; }",
        world: "plaza:postgres-three/imports",
        imports: { default: async | trappable },
        with: { "spin:postgres/postgres.connection": crate::capability::postgres::connection::Connection },
    });
}

/// `fermyon:spin/postgres@2.0.0`.
pub mod v2 {
    wasmtime::component::bindgen!({
        path: "../wit/deps/fermyon-spin-postgres",
        inline: "package plaza:postgres-two; world imports { import fermyon:spin/postgres@2.0.0; }",
        world: "plaza:postgres-two/imports",
        imports: { default: async | trappable },
        with: { "fermyon:spin/postgres.connection": crate::capability::postgres::connection::Connection },
    });
}
