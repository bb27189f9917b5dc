//! What the component exports.
#![expect(unsafe_code, reason = "generated: values cross the boundary as raw memory")]

spin_sdk::wit_bindgen::generate!({
    path: "../../wit/shop/passwords",
    world: "provider",
    runtime_path: "spin_sdk::wit_bindgen::rt",
});

/// The component, as the exported interface sees it.
pub struct Component;

export!(Component with_types_in self);
