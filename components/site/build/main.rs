//! Makes the files that this component serves: the services' documents merged, their schemas one by one, and the page that
//! shows them. They are kept compressed, and each has its tag.

mod asyncapi;
mod document;
mod files;
mod openapi;
mod schemas;
mod swagger_ui;

use std::{env, error::Error, path::Path};

use files::Files;

/// The services, in the order in which documents show them.
const SERVICES: [&str; 5] = ["users", "products", "orders", "payments", "notifications"];

fn main() -> Result<(), Box<dyn Error>> {
    let components = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..");
    println!("cargo::rerun-if-changed=build");
    let openapi = openapi::merged(&components)?;
    let asyncapi = asyncapi::merged(&components)?;
    let schemas = schemas::of(&openapi, &asyncapi)?;
    let mut files = Files::default();
    files.add("/openapi.json", "application/json", &serde_json::to_vec(&openapi)?)?;
    files.add("/asyncapi.json", "application/json", &serde_json::to_vec(&asyncapi)?)?;
    files.add("/schemas", "application/json", &serde_json::to_vec(&schemas.keys().collect::<Vec<_>>())?)?;
    for (name, schema) in &schemas {
        files.add(&format!("/schemas/{name}"), "application/schema+json", &serde_json::to_vec(schema)?)?;
    }
    swagger_ui::add(&mut files)?;
    files.write(Path::new(&env::var("OUT_DIR")?))
}
