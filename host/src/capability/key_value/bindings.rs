//! Generated from `wit/deps`: one module for each interface. All of them share one type of handle.

/// `spin:key-value@3.0.0`.
pub mod v3 {
    wasmtime::component::bindgen!({
        path: "../wit/deps/spin-key-value-3.0.0",
        inline: "package plaza:key-value-three; world imports { import spin:key-value/key-value@3.0.0; }",
        world: "plaza:key-value-three/imports",
        imports: { default: async | trappable },
        with: { "spin:key-value/key-value.store": crate::capability::key_value::store::Store },
    });
}

/// `fermyon:spin/key-value@2.0.0`.
pub mod v2 {
    wasmtime::component::bindgen!({
        path: "../wit/deps/fermyon-spin-key-value",
        inline: "package plaza:key-value-two; world imports { import fermyon:spin/key-value@2.0.0; }",
        world: "plaza:key-value-two/imports",
        imports: { default: async | trappable },
        with: { "fermyon:spin/key-value.store": crate::capability::key_value::store::Store },
    });
}

/// `wasi:keyvalue@0.2.0-draft2`.
pub mod draft {
    wasmtime::component::bindgen!({
        path: "../wit/deps/wasi-keyvalue",
        inline: "
            package plaza:key-value-draft;
            world imports {
                import wasi:keyvalue/store@0.2.0-draft2;
                import wasi:keyvalue/atomics@0.2.0-draft2;
                import wasi:keyvalue/batch@0.2.0-draft2;
            }
        ",
        world: "plaza:key-value-draft/imports",
        imports: { default: async | trappable },
        with: {
            "wasi:keyvalue/store.bucket": crate::capability::key_value::store::Store,
            "wasi:keyvalue/atomics.cas": crate::capability::key_value::swap::Remembered,
        },
    });
}
