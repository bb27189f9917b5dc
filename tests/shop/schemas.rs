//! JSON Schemas, in a document or alone.

use jsonschema::Validator;
use serde_json::{Value, json};

/// Checks values against a schema that stands in this document.
pub fn validator(document: &Value, schema: &Value) -> Validator {
    let alone = json!({ "components": document["components"], "allOf": [schema] });
    sound(&alone)
}

/// Checks values against a schema that stands alone; formats count.
pub fn sound(schema: &Value) -> Validator {
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
    options.build(schema).unwrap_or_else(|error| panic!("{error} in {schema}"))
}
