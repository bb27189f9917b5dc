//! Parameters as they are written in a path, a query or a header.

use serde_json::{Map, Value};

/// Puts right what utoipa says of an operation's parameters.
pub fn tidy(operation: &mut Map<String, Value>) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten().filter_map(Value::as_object_mut) {
        let Some(schema) = parameter.get_mut("schema") else { continue };
        never_null(schema);
        let described = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        if let Some(description) = described {
            parameter.entry("description").or_insert(description);
        }
    }
}

/// A parameter that is left out is not there: there is no way to write `null`.
fn never_null(schema: &mut Value) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let ([only], Some(fields)) = (types.clone().as_slice(), schema.as_object_mut()) {
            fields.insert("type".to_owned(), only.clone());
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("oneOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [only] = choices.clone().as_slice() {
            *schema = only.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_parameter_is_described_once_and_never_null() {
        let mut operation = json!({"parameters": [
            {"name": "limit", "schema": {"type": ["integer", "null"], "description": "How many."}},
            {"name": "status", "schema": {"oneOf": [{"type": "null"}, {"type": "string", "enum": ["paid"]}]}},
        ]});
        tidy(operation.as_object_mut().unwrap());
        assert_eq!(
            operation["parameters"][0],
            json!({"name": "limit", "description": "How many.", "schema": {"type": "integer"}})
        );
        assert_eq!(operation["parameters"][1]["schema"], json!({"type": "string", "enum": ["paid"]}));
    }
}
