//! The interfaces beside HTTP that the component exports.

spin_sdk::wit_bindgen::generate!({
    path: ["../../wit/shop/products", "../../wit/plaza/events", "../../wit/plaza/schedule"],
    inline: "
        package shop:products-service;
        world component {
            export shop:products/inventory@1.0.0;
            export plaza:events/subscriber@1.0.0;
            export plaza:schedule/task@1.0.0;
        }
    ",
    world: "shop:products-service/component",
    runtime_path: "spin_sdk::wit_bindgen::rt",
});

/// What exports them; [`crate::inbound`] implements each interface for it.
pub struct Component;

export!(Component);
