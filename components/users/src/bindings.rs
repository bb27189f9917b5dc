//! What the component imports and exports beside HTTP.
#![cfg_attr(target_family = "wasm", expect(unsafe_code, reason = "generated: values cross the boundary as raw memory"))]

spin_sdk::wit_bindgen::generate!({
    path: ["../../wit/shop/users", "../../wit/shop/passwords", "../../wit/plaza/schedule"],
    inline: "
        package shop:users-service;
        world component {
            import shop:passwords/hashing@1.0.0;
            export shop:users/directory@1.0.0;
            export plaza:schedule/task@1.0.0;
        }
    ",
    world: "shop:users-service/component",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    // As JSON at /internal/…, beside the calls that are linked.
    additional_derives: [serde::Serialize, serde::Deserialize],
    generate_all,
});

/// What exports them; [`crate::inbound`] implements each interface for it.
pub struct Component;

#[cfg(target_family = "wasm")]
export!(Component with_types_in self);
