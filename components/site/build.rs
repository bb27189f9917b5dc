//! Merges the services' committed OpenAPI documents into one, and makes a page to read from it.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use serde_json::{Map, Value, json};

/// The services whose documents are merged, in the order in which the page shows them.
const SERVICES: [&str; 4] = ["users", "products", "orders", "payments"];
/// What an OpenAPI path may hold beside operations; these are skipped on the page.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn main() -> Result<(), Box<dyn Error>> {
    let components = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..");
    let mut document = frame();
    for service in SERVICES {
        let file = components.join(service).join("openapi.json");
        println!("cargo::rerun-if-changed={}", file.display());
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        merge(&mut document, &serde_json::from_str(&text)?).map_err(|clash| format!("{}: {clash}", file.display()))?;
    }
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("openapi.json"), serde_json::to_string(&document)?)?;
    fs::write(Path::new(&out).join("operations.html"), operations(&document))?;
    Ok(())
}

fn frame() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Shop",
            "description": "A complete e-commerce backend: users, products, orders, payments. Errors are problems (RFC 9457).",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{ "url": "/", "description": "Where this document was read." }],
        "tags": [],
        "paths": {},
        "components": { "schemas": {}, "securitySchemes": {} },
    })
}

/// Adds a service's document. Two services may name the same thing only if they mean the same by it.
fn merge(document: &mut Value, service: &Value) -> Result<(), String> {
    for part in ["/paths", "/components/schemas", "/components/securitySchemes"] {
        let (Some(into), Some(from)) = (object(document, part), service.pointer(part).and_then(Value::as_object))
        else {
            continue;
        };
        for (name, value) in from {
            let known = into.entry(name.clone()).or_insert_with(|| value.clone());
            if known != value {
                return Err(format!("{part}: another service gives `{name}` another meaning; rename one of them"));
            }
        }
    }
    let tags = service.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(all) = document.get_mut("tags").and_then(Value::as_array_mut) {
        all.extend(tags);
    }
    Ok(())
}

fn object<'a>(document: &'a mut Value, part: &str) -> Option<&'a mut Map<String, Value>> {
    document.pointer_mut(part).and_then(Value::as_object_mut)
}

/// One row of a table for each operation.
fn operations(document: &Value) -> String {
    let paths = document.get("paths").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut rows = String::new();
    for (path, item) in &paths {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
            let says = if text("summary").is_empty() { text("description") } else { text("summary") };
            rows.push_str(&format!(
                "<tr><td>{}</td><td><code>{}</code></td><td>{}</td></tr>\n",
                method.to_uppercase(),
                escape(path),
                escape(says)
            ));
        }
    }
    rows
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
