//! The services' OpenAPI documents as one.

use std::{error::Error, path::Path};

use serde_json::{Value, json};

use crate::{SERVICES, document};

const PARTS: [&str; 5] =
    ["/paths", "/components/schemas", "/components/responses", "/components/headers", "/components/securitySchemes"];

/// The services' documents and this component's own.
pub fn merged(components: &Path) -> Result<Value, Box<dyn Error>> {
    let mut merged = frame();
    for service in SERVICES.iter().chain(&["site"]) {
        let path = components.join(service).join("openapi.json");
        let own = document::read(&path)?.ok_or_else(|| format!("{} is missing", path.display()))?;
        document::merge(&mut merged, &own, &PARTS).map_err(|clash| format!("{}: {clash}", path.display()))?;
        let tags = own.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(all) = merged.get_mut("tags").and_then(Value::as_array_mut) {
            all.extend(tags);
        }
    }
    Ok(merged)
}

fn frame() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Shop",
            "summary": "A complete e-commerce backend: users, products, orders, payments.",
            "description": include_str!("openapi.md"),
            "contact": { "name": "Plaza", "url": "/" },
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{ "url": "/", "description": "Where this document was read." }],
        "tags": [],
        "paths": {},
        "components": { "schemas": {}, "responses": {}, "headers": {}, "securitySchemes": {} },
        "externalDocs": { "url": "/asyncapi.json", "description": "The events that the shop publishes (AsyncAPI 3)." },
    })
}
