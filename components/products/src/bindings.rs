//! What the component imports and exports beside HTTP.
#![cfg_attr(target_family = "wasm", expect(unsafe_code, reason = "generated: values cross the boundary as raw memory"))]

spin_sdk::wit_bindgen::generate!({
    path: ["../../wit/shop/users", "../../wit/shop/products", "../../wit/plaza/events", "../../wit/plaza/schedule"],
    inline: "
        package shop:products-service;
        world component {
            import shop:users/directory@1.0.0;
            export shop:products/inventory@1.0.0;
            export plaza:events/subscriber@1.0.0;
            export plaza:schedule/task@1.0.0;
        }
    ",
    world: "shop:products-service/component",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    // As JSON at /internal/…, beside the calls that are linked.
    additional_derives: [serde::Serialize, serde::Deserialize],
    generate_all,
});

#[cfg(target_family = "wasm")]
export!(Component with_types_in self);

/// What exports them; [`crate::inbound`] implements each interface for it.
#[cfg(target_family = "wasm")]
pub struct Component;
