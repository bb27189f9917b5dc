//! The interfaces that the component imports.

spin_sdk::wit_bindgen::generate!({
    path: ["../../wit/shop/users", "../../wit/shop/products"],
    inline: "
        package shop:site;
        world component {
            import shop:users/directory@1.0.0;
            import shop:products/inventory@1.0.0;
        }
    ",
    world: "shop:site/component",
    runtime_path: "spin_sdk::wit_bindgen::rt",
    generate_all,
});
