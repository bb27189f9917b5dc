//! Reading the services' committed documents, and putting them together.

use std::{error::Error, fs, path::Path};

use serde_json::{Map, Value};

/// The document in this file, if there is one.
pub fn read(path: &Path) -> Result<Option<Value>, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", path.display());
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Some(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?))
}

/// Adds the members of these parts. Two services may name the same thing only if they mean the same by it.
pub fn merge(document: &mut Value, service: &Value, parts: &[&str]) -> Result<(), String> {
    for part in parts {
        let Some(from) = service.pointer(part).and_then(Value::as_object) else { continue };
        let into = object(document, part).ok_or_else(|| format!("the frame has no {part}"))?;
        for (name, value) in from {
            let known = into.entry(name.clone()).or_insert_with(|| value.clone());
            if known != value {
                return Err(format!("{part}: another service gives `{name}` another meaning; rename one of them"));
            }
        }
    }
    Ok(())
}

fn object<'a>(document: &'a mut Value, part: &str) -> Option<&'a mut Map<String, Value>> {
    document.pointer_mut(part).and_then(Value::as_object_mut)
}
