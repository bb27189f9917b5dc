//! The OpenAPI document of a service, made from its code.
//!
//! utoipa reads paths, bodies and parameters off the handlers. What follows from them is added here, so that no handler
//! has to repeat it and none can forget it: which problems an operation may answer with, what well-known headers mean,
//! and the examples of the bodies.

mod examples;
mod facts;
mod golden;
mod parameters;
mod problems;
mod shared;

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

pub use golden::{compare, text as golden_text};
pub use problems::refused;

use facts::Facts;

/// What an OpenAPI path may hold beside parameters: its operations.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Names the problems that an operation may answer with beside those that follow from its form; list it among the
/// `responses` of its `utoipa::path`.
#[macro_export]
macro_rules! refusals {
    ($(#[$doc:meta])* $name:ident: $($kind:expr),+ $(,)?) => {
        $(#[$doc])*
        pub struct $name;

        impl ::utoipa::IntoResponses for $name {
            fn responses() -> ::std::collections::BTreeMap<
                ::std::string::String,
                ::utoipa::openapi::RefOr<::utoipa::openapi::Response>,
            > {
                $crate::openapi::refused(&[$($kind),+])
            }
        }
    };
}

/// The document as it is committed, indented.
pub fn document(api: &OpenApi) -> String {
    let mut document = serde_json::to_value(api).unwrap_or_default();
    let fields = document.as_object_mut();
    fields.into_iter().for_each(complete);
    golden_text(&document)
}

/// Adds all that follows from what utoipa found.
fn complete(document: &mut Map<String, Value>) {
    for operation in operations(document) {
        let facts = Facts::of(operation);
        parameters::tidy(operation);
        // Nothing to log in for is said, too, and not left to be guessed.
        operation.entry("security").or_insert_with(|| json!([]));
        let Some(responses) = inside(operation, "responses") else { continue };
        let outcomes = problems::collect(responses, facts.kinds());
        responses.values_mut().filter_map(Value::as_object_mut).for_each(shared::name_headers);
        for outcome in &outcomes {
            responses.insert(outcome.status.as_str().to_owned(), shared::response(outcome));
        }
        if facts.has_idempotency_key {
            shared::mark_replays(responses);
        }
    }
    shared::insert(document);
    examples::spread(document);
}

/// Every operation of a document.
fn operations(document: &mut Map<String, Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    let fields = items.flat_map(Map::iter_mut).filter(|(name, _)| METHODS.contains(&name.as_str()));
    fields.filter_map(|(_, operation)| operation.as_object_mut())
}

/// The object under this name, made where there is none; `None` where something else stands there.
fn inside<'a>(fields: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    fields.entry(name).or_insert_with(|| json!({})).as_object_mut()
}
