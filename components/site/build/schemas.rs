//! JSON Schemas that stand alone: one file for each body and each event, with all that it refers to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const COMPONENTS: &str = "#/components/schemas/";

/// Every schema of the two documents, by file name.
pub fn of(openapi: &Value, asyncapi: &Value) -> Result<BTreeMap<String, Value>, String> {
    let mut files = BTreeMap::new();
    for document in [openapi, asyncapi] {
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object).ok_or("no schemas")?;
        for name in schemas.keys() {
            let file = format!("{name}.json");
            let schema = alone(name, schemas)?;
            let known = files.entry(file).or_insert_with(|| schema.clone());
            if *known != schema {
                return Err(format!("`{name}` is one thing over HTTP and another in an event; rename one of them"));
            }
        }
    }
    Ok(files)
}

fn alone(name: &str, schemas: &Map<String, Value>) -> Result<Value, String> {
    let mut needed = BTreeSet::new();
    gather(name, schemas, &mut needed)?;
    let mut schema = schemas.get(name).cloned().unwrap_or_default();
    let definitions: Map<String, Value> = needed
        .iter()
        .filter(|needed| *needed != name)
        .filter_map(|needed| Some((needed.clone(), schemas.get(needed)?.clone())))
        .collect();
    let fields = schema.as_object_mut().ok_or_else(|| format!("`{name}` is no object"))?;
    fields.insert("$schema".to_owned(), DIALECT.into());
    fields.insert("$id".to_owned(), format!("/schemas/{name}.json").into());
    fields.entry("title").or_insert_with(|| name.into());
    if !definitions.is_empty() {
        fields.insert("$defs".to_owned(), definitions.into());
    }
    let text = schema.to_string().replace(COMPONENTS, "#/$defs/");
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// Notes a schema and all that it refers to.
fn gather(name: &str, schemas: &Map<String, Value>, needed: &mut BTreeSet<String>) -> Result<(), String> {
    if !needed.insert(name.to_owned()) {
        return Ok(());
    }
    let schema = schemas.get(name).ok_or_else(|| format!("there is no schema `{name}`"))?;
    references(schema).into_iter().try_for_each(|reference| gather(&reference, schemas, needed))
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix(COMPONENTS));
            own.map(str::to_owned).into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
