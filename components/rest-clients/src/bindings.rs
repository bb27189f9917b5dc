//! What the component exports.
#![cfg_attr(target_family = "wasm", expect(unsafe_code, reason = "generated: values cross the boundary as raw memory"))]

spin_sdk::wit_bindgen::generate!({
    inline: r#"
        package plaza:rest-clients;

        world rest-clients {
            export shop:users/directory@1.0.0;
            export shop:products/inventory@1.0.0;
            export shop:orders/readiness@1.0.0;
            export shop:payments/readiness@1.0.0;
            export shop:payments/provider@1.0.0;
        }
    "#,
    path: ["../../wit/shop/users", "../../wit/shop/products", "../../wit/shop/orders", "../../wit/shop/payments"],
    world: "plaza:rest-clients/rest-clients",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    generate_all,
    // As JSON, as the other side writes it.
    additional_derives: [serde::Serialize, serde::Deserialize],
});

#[cfg(target_family = "wasm")]
export!(Component with_types_in self);

/// The component, as the exported interfaces see it.
pub struct Component;
