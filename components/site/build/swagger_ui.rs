//! The page that shows the documents: Swagger UI, as its package on crates.io has it. Its routes hand its files out here,
//! when the component is built; no other host is asked, now or later.

use std::error::Error;

use axum::{Router, body::Body};
use futures::executor::block_on;
use http::Request;
use http_body_util::BodyExt;
use swagger_ui_dist::{ApiDefinition, OpenApiSource};
use tower::ServiceExt;

use crate::files::Files;

/// Adds the page, what it needs, and what makes it show this document.
pub fn add(files: &mut Files) -> Result<(), Box<dyn Error>> {
    let routes = swagger_ui_dist::generate_routes(ApiDefinition {
        uri_prefix: "/docs",
        api_definition: OpenApiSource::Uri("/openapi.json"),
        title: None,
    });
    let style = fetch(&routes, "/docs/swagger-ui.css")?;
    let script = fetch(&routes, "/docs/swagger-ui-bundle.js")?;
    let start = include_str!("start.js");
    let style = files.add("/docs/swagger-ui.css", "text/css; charset=utf-8", &style)?;
    let script = files.add("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8", &script)?;
    let start = files.add("/docs/start.js", "text/javascript; charset=utf-8", start.as_bytes())?;
    let page = include_str!("docs.html");
    let page = page.replace("{style}", &style).replace("{script}", &script).replace("{start}", &start);
    files.add("/docs", "text/html; charset=utf-8", page.as_bytes())?;
    Ok(())
}

fn fetch(routes: &Router, path: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let request = Request::get(path).body(Body::empty())?;
    let response = block_on(routes.clone().oneshot(request))?;
    if !response.status().is_success() {
        return Err(format!("Swagger UI has no {path}").into());
    }
    Ok(block_on(response.into_body().collect())?.to_bytes().to_vec())
}
