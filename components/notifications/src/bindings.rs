//! What the component exports beside HTTP.
#![cfg_attr(target_family = "wasm", expect(unsafe_code, reason = "generated: values cross the boundary as raw memory"))]

spin_sdk::wit_bindgen::generate!({
    inline: r#"
        package plaza:notifications;

        world notifications {
            export plaza:events/subscriber@1.0.0;
            export plaza:schedule/task@1.0.0;
        }
    "#,
    path: ["../../wit/plaza/events", "../../wit/plaza/schedule"],
    world: "plaza:notifications/notifications",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    generate_all,
});

#[cfg(target_family = "wasm")]
export!(Component with_types_in self);

/// The component, as the exported interfaces see it.
pub struct Component;
