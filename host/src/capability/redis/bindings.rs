//! Generated from `wit/deps`: one module for each interface. Both share one type of handle.

/// `spin:redis@3.0.0`, whose types are this capability's own model of values.
pub mod v3 {
    wasmtime::component::bindgen!({
        path: "../wit/deps/spin-redis-3.0.0",
        inline: "package plaza:redis-three; world imports { import spin:redis/redis@3.0.0; }",
        world: "plaza:redis-three/imports",
        imports: { default: async | trappable },
        with: { "spin:redis/redis.connection": crate::capability::redis::connection::Connection },
        additional_derives: [PartialEq],
    });
}

/// `fermyon:spin/redis@2.0.0`.
pub mod v2 {
    wasmtime::component::bindgen!({
        path: "../wit/deps/fermyon-spin-redis",
        inline: "package plaza:redis-two; world imports { import fermyon:spin/redis@2.0.0; }",
        world: "plaza:redis-two/imports",
        imports: { default: async | trappable },
        with: { "fermyon:spin/redis.connection": crate::capability::redis::connection::Connection },
    });
}
