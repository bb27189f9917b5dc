//! Examples of bodies: a schema's own example stands wherever a body has that schema.

use serde_json::{Map, Value, json};

use super::{METHODS, inside};

/// Gives every body of a named schema, or of a list of one, the example of that schema.
pub fn spread(document: &mut Map<String, Value>) {
    let schemas = document.get("components").and_then(|components| components.get("schemas")).cloned();
    let schemas = schemas.unwrap_or_default();
    let Some(paths) = inside(document, "paths") else { return };
    let items = paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::iter_mut);
    let operations = items.filter(|(name, _)| METHODS.contains(&name.as_str())).map(|(_, operation)| operation);
    for media_type in operations.flat_map(media_types) {
        let found = media_type.get("schema").and_then(|schema| example(schema, &schemas));
        if let (Some(found), false) = (found, media_type.contains_key("examples")) {
            media_type.entry("example").or_insert(found);
        }
    }
}

/// The media types of an operation's body and answers.
fn media_types(operation: &mut Value) -> Vec<&mut Map<String, Value>> {
    let Some(fields) = operation.as_object_mut() else { return Vec::new() };
    let parts = fields.iter_mut().flat_map(|(name, part)| match name.as_str() {
        "requestBody" => vec![part],
        "responses" => part.as_object_mut().into_iter().flat_map(Map::values_mut).collect(),
        _ => Vec::new(),
    });
    let contents = parts.filter_map(|part| part.get_mut("content")?.as_object_mut());
    contents.flat_map(Map::values_mut).filter_map(Value::as_object_mut).collect()
}

fn example(schema: &Value, schemas: &Value) -> Option<Value> {
    if let Some(items) = schema.get("items") {
        return example(items, schemas).map(|item| json!([item]));
    }
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => schemas.get(reference.strip_prefix("#/components/schemas/")?)?,
        None => schema,
    };
    schema.get("examples").and_then(|examples| examples.get(0)).or_else(|| schema.get("example")).cloned()
}
