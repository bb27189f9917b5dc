//! Generated from `wit/deps`: one module for each major version of the interface.
#![expect(missing_docs, reason = "generated; the WIT files document it")]

/// `spin:sqlite@3.1.0`, whose types are this capability's own model of values.
pub mod v3 {
    wasmtime::component::bindgen!({
        path: "../wit/deps/spin-sqlite-3.1.0",
        inline: "package plaza:sqlite-three; world imports { import spin:sqlite/sqlite@3.1.0; }",
        world: "plaza:sqlite-three/imports",
        imports: { default: async | trappable },
        with: { "spin:sqlite/sqlite.connection": crate::capability::sqlite::connection::Connection },
        additional_derives: [PartialEq],
    });
}

/// `fermyon:spin/sqlite@2.0.0`.
pub mod v2 {
    wasmtime::component::bindgen!({
        path: "../wit/deps/fermyon-spin-sqlite",
        inline: "package plaza:sqlite-two; world imports { import fermyon:spin/sqlite@2.0.0; }",
        world: "plaza:sqlite-two/imports",
        imports: { default: async | trappable },
        with: { "fermyon:spin/sqlite.connection": crate::capability::sqlite::connection::Connection },
    });
}
