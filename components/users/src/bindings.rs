//! The interfaces beside HTTP that the component exports.

spin_sdk::wit_bindgen::generate!({
    path: ["../../wit/shop/users", "../../wit/plaza/schedule"],
    inline: "
        package shop:users-service;
        world component {
            export shop:users/directory@1.0.0;
            export plaza:schedule/task@1.0.0;
        }
    ",
    world: "shop:users-service/component",
    runtime_path: "spin_sdk::wit_bindgen::rt",
});

/// What exports them; [`crate::inbound`] implements each interface for it.
pub struct Component;

export!(Component);
