//! The documents, and the page that shows them.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kit::input::Named;
use kit::problem::Kind;
use kit::{Problem, refusals};

use super::MINUTE;
use crate::inbound::file;

/// What the page names by its tag never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The page runs its own scripts alone and speaks to nobody but the shop. Swagger UI has its icons in its style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const NO_SUCH_FILE: Kind = Kind::plain(StatusCode::NOT_FOUND, "There is no such file.");

refusals! {
    /// Why there is no file.
    FileRefusals: NO_SUCH_FILE
}

/// Read and try the operations
///
/// Swagger UI, served from here alone.
#[utoipa::path(
    get, path = "/docs", tag = "documents", operation_id = "getDocs",
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html", headers(("ETag" = String))),
        (status = 304, description = "The client has it already.")
    )
)]
pub async fn docs(headers: HeaderMap) -> Result<Response, Problem> {
    let mut response = serve("/docs", &headers, MINUTE)?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}

/// Read a part of that page
#[utoipa::path(
    get, path = "/docs/{file}", tag = "documents", operation_id = "getDocsFile",
    params(("file" = String, Path, description = "Its name.", example = "start.js")),
    responses(
        (
            status = 200, description = "The file.", headers(("ETag" = String)),
            content((String = "text/javascript"), (String = "text/css"))
        ),
        (status = 304, description = "The client has it already."),
        FileRefusals
    )
)]
pub async fn docs_file(Named(name): Named, headers: HeaderMap) -> Result<Response, Problem> {
    serve(&format!("/docs/{name}"), &headers, FOR_EVER)
}

/// Read this document
#[utoipa::path(
    get, path = "/openapi.json", tag = "documents", operation_id = "getOpenApi",
    responses(
        (status = 200, description = "OpenAPI 3.1.", body = Object, headers(("ETag" = String))),
        (status = 304, description = "The client has it already.")
    )
)]
pub async fn openapi(headers: HeaderMap) -> Result<Response, Problem> {
    serve("/openapi.json", &headers, MINUTE)
}

/// Read which events there are
#[utoipa::path(
    get, path = "/asyncapi.json", tag = "documents", operation_id = "getAsyncApi",
    responses(
        (status = 200, description = "AsyncAPI 3.", body = Object, headers(("ETag" = String))),
        (status = 304, description = "The client has it already.")
    )
)]
pub async fn asyncapi(headers: HeaderMap) -> Result<Response, Problem> {
    serve("/asyncapi.json", &headers, MINUTE)
}

/// List the JSON Schemas
///
/// One for each body and each event, with all that it refers to.
#[utoipa::path(
    get, path = "/schemas", tag = "documents", operation_id = "listSchemas",
    responses(
        (
            status = 200, description = "Their file names.", body = [String], headers(("ETag" = String)),
            links(("getSchema" = (operation_id = "getSchema", parameters(("file" = serde_json::json!("$response.body#/0"))))))
        ),
        (status = 304, description = "The client has it already.")
    )
)]
pub async fn schemas(headers: HeaderMap) -> Result<Response, Problem> {
    serve("/schemas", &headers, MINUTE)
}

/// Read a JSON Schema
#[utoipa::path(
    get, path = "/schemas/{file}", tag = "documents", operation_id = "getSchema",
    params(("file" = String, Path, description = "Its file name.", example = "ORDER_CREATED.json")),
    responses(
        (
            status = 200, description = "JSON Schema 2020-12.", body = Object, content_type = "application/schema+json",
            headers(("ETag" = String))
        ),
        (status = 304, description = "The client has it already."),
        FileRefusals
    )
)]
pub async fn schema(Named(name): Named, headers: HeaderMap) -> Result<Response, Problem> {
    serve(&format!("/schemas/{name}"), &headers, MINUTE)
}

fn serve(path: &str, headers: &HeaderMap, keep: HeaderValue) -> Result<Response, Problem> {
    let file = file::find(path).ok_or_else(|| Problem::new(NO_SUCH_FILE, "There is no such file."))?;
    Ok(file.answer(headers, keep).into_response())
}
