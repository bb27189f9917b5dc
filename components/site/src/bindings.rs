//! What the component imports beside HTTP.

spin_sdk::wit_bindgen::generate!({
    inline: r#"
        package plaza:site;

        world site {
            import shop:users/directory@1.0.0;
            import shop:products/inventory@1.0.0;
            import shop:orders/readiness@1.0.0;
            import shop:payments/readiness@1.0.0;
        }
    "#,
    path: ["../../wit/shop/users", "../../wit/shop/products", "../../wit/shop/orders", "../../wit/shop/payments"],
    world: "plaza:site/site",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    generate_all,
});
