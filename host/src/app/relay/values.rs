//! What a relay has to know of an application: the token, and where the outboxes are. Nothing else needs a value.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};

use super::super::variables::{Sources, undeclared, value_of};
use crate::{database::Database, manifest::App};

/// The token, by the variable that holds it. It is made where the manifest has it generated and nobody sets it.
///
/// # Errors
/// When it has no value, and what the database says.
pub async fn token(app: &App, sources: &mut Sources, database: &Database, variable: &str) -> anyhow::Result<String> {
    let strange: Vec<String> = undeclared(app, sources).collect();
    if !strange.is_empty() {
        bail!(strange.join("\n"));
    }
    if sources.outside(variable).is_none()
        && let Some(kind) = app.generate.get(variable)
    {
        let generated = database.generate(&[(variable.to_owned(), *kind)].into()).await?;
        sources.made.extend(generated.variables);
    }
    value_of(app, sources, variable)
        .map_err(|fault| anyhow!("{fault}; --token-variable names the variable with the token of the application"))
}

/// The database of each component that has an outbox: where its variable says, if somebody sets it, as the component itself would be
/// told; else its own on this server.
///
/// # Errors
/// What the database says.
pub async fn outboxes(app: &App, sources: &Sources, database: &Database) -> anyhow::Result<BTreeMap<String, String>> {
    let mut urls = BTreeMap::new();
    for component in app.components.values().filter(|component| component.plaza.outbox.is_some()) {
        let Some(name) = &component.plaza.database else { continue };
        let url = match sources.outside(&format!("{name}_url")) {
            Some(url) => url.clone(),
            None => database.provision(name).await?.url,
        };
        urls.insert(component.id.clone(), url);
    }
    Ok(urls)
}
