//! What the component exports.
#![cfg_attr(target_family = "wasm", expect(unsafe_code, reason = "generated: values cross the boundary as raw memory"))]

spin_sdk::wit_bindgen::generate!({
    path: "../../wit/shop/payments",
    world: "implementation",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    // As JSON at /internal/…, beside the calls that are linked.
    additional_derives: [serde::Serialize, serde::Deserialize],
});

#[cfg(target_family = "wasm")]
export!(Component with_types_in self);

/// The component, as the exported interface sees it.
pub struct Component;
