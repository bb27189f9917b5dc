//! What the component imports and exports beside HTTP.
#![cfg_attr(target_family = "wasm", expect(unsafe_code, reason = "generated: values cross the boundary as raw memory"))]

spin_sdk::wit_bindgen::generate!({
    inline: r#"
        package plaza:payments;

        world payments {
            import shop:users/directory@1.0.0;
            import shop:payments/provider@1.0.0;
            export shop:payments/readiness@1.0.0;
            export plaza:events/subscriber@1.0.0;
            export plaza:schedule/task@1.0.0;
        }
    "#,
    path: ["../../wit/shop/users", "../../wit/shop/payments", "../../wit/plaza/events", "../../wit/plaza/schedule"],
    world: "plaza:payments/payments",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    // As JSON at /internal/…, beside the calls that are linked.
    additional_derives: [serde::Serialize, serde::Deserialize],
    generate_all,
});

#[cfg(target_family = "wasm")]
export!(Component with_types_in self);

/// The component, as the exported interfaces see it.
pub struct Component;
