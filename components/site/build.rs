//! Merges the services' OpenAPI documents into the one that `/openapi.json` serves.

use std::{env, error::Error, fs, path::Path};

use serde_json::{Map, Value, json};

/// The services, in the order in which a reader wants them.
const SERVICES: [&str; 4] = ["users", "products", "orders", "payments"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut merged = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Plaza shop",
            "description": "Accounts, catalogue, orders and payments of a shop. Errors are problem details (RFC 9457).",
            "version": env::var("CARGO_PKG_VERSION")?,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": {},
        "components": {},
        "tags": [],
    });
    for service in SERVICES {
        let file = format!("../{service}/openapi.json");
        println!("cargo::rerun-if-changed={file}");
        let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        let document: Value = serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
        merge(&mut merged, document).map_err(|clash| format!("{file}: {clash}"))?;
    }
    let target = Path::new(&env::var("OUT_DIR")?).join("openapi.json");
    fs::write(target, merged.to_string())?;
    Ok(())
}

/// Adds one service's paths, components and tags.
fn merge(merged: &mut Value, mut document: Value) -> Result<(), String> {
    add_all(&mut merged["paths"], document["paths"].take(), "path")?;
    if let Value::Object(kinds) = document["components"].take() {
        for (kind, items) in kinds {
            let place = &mut merged["components"][&kind];
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            add_all(place, items, &kind)?;
        }
    }
    if let (Some(tags), Value::Array(more)) = (merged["tags"].as_array_mut(), document["tags"].take()) {
        tags.extend(more);
    }
    Ok(())
}

/// Two services may describe the same thing, if they describe it alike.
fn add_all(into: &mut Value, items: Value, kind: &str) -> Result<(), String> {
    let (Some(into), Value::Object(items)) = (into.as_object_mut(), items) else { return Ok(()) };
    for (name, item) in items {
        match into.get(&name) {
            Some(there) if *there != item => return Err(format!("the {kind} `{name}` is described in two ways")),
            _ => into.insert(name, item),
        };
    }
    Ok(())
}
