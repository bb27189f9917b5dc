//! The services' AsyncAPI documents as one.

use std::{error::Error, path::Path};

use serde_json::{Value, json};

use crate::{SERVICES, document};

const PARTS: [&str; 4] = ["/channels", "/operations", "/components/messages", "/components/schemas"];

/// The documents of those services that publish events.
pub fn merged(components: &Path) -> Result<Value, Box<dyn Error>> {
    let mut merged = frame();
    for service in SERVICES {
        let path = components.join(service).join("asyncapi.json");
        if let Some(own) = document::read(&path)? {
            document::merge(&mut merged, &own, &PARTS).map_err(|clash| format!("{}: {clash}", path.display()))?;
        }
    }
    Ok(merged)
}

fn frame() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Events of the shop",
            "version": env!("CARGO_PKG_VERSION"),
            "description": include_str!("asyncapi.md"),
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": {},
        "operations": {},
        "components": { "messages": {}, "schemas": {} },
    })
}
