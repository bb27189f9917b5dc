//! The OpenAPI document of a service, made from its code.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{
        Content, OpenApi, Ref, RefOr, Response, ResponseBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{Fault, Problem, problem::PROBLEM_JSON};

/// The response of every operation that went wrong: a problem. Name it in `responses(…, Problems)`.
pub struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        let response =
            ResponseBuilder::new().description("A problem (RFC 9457).").content(PROBLEM_JSON, content).build();
        BTreeMap::from([("default".to_owned(), response.into())])
    }
}

/// The document as it is committed: with the schema of problems and the `bearer` security scheme, indented.
pub fn document(mut api: OpenApi) -> String {
    describe_responses(&mut api);
    let components = api.components.get_or_insert_default();
    for (name, schema) in [
        ("Problem", <Problem as utoipa::PartialSchema>::schema()),
        ("Fault", <Fault as utoipa::PartialSchema>::schema()),
    ] {
        components.schemas.insert(name.to_owned(), schema);
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The access_token of POST /api/v1/sessions."))
        .build();
    components.security_schemes.insert("bearer".to_owned(), SecurityScheme::Http(bearer).into());
    let mut text = serde_json::to_string_pretty(&api).unwrap_or_default();
    text.push('\n');
    text
}

/// Compares a document with the committed file; with `UPDATE_GOLDEN=1` in the environment, writes it instead.
pub fn compare(path: &str, document: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return std::fs::write(path, document).map_err(|error| format!("{path}: {error}"));
    }
    let committed = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    if committed == document {
        return Ok(());
    }
    Err(format!("{path} no longer says what the code does; run `UPDATE_GOLDEN=1 cargo test` and commit it"))
}

/// Every response must have a description; where the code gives none, the status says it.
fn describe_responses(api: &mut OpenApi) {
    let items = api.paths.paths.values_mut();
    let operations =
        items.flat_map(|item| [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch]);
    for operation in operations.flatten() {
        for (status, response) in &mut operation.responses.responses {
            let reason =
                http::StatusCode::from_bytes(status.as_bytes()).ok().and_then(|status| status.canonical_reason());
            if let (RefOr::T(response), Some(reason)) = (response, reason)
                && response.description.is_empty()
            {
                response.description = reason.to_owned();
            }
        }
    }
}
