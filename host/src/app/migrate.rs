//! Databases and values for an application that is not served here.

use std::collections::BTreeMap;

use super::prepare;
use crate::{
    database::{Database, DatabaseSettings},
    error::faults,
    manifest::{self, App, Source, runtime_config::RuntimeConfig},
};

/// What has been made.
pub struct Migrated {
    /// Names of the migrations that were applied just now, by component.
    pub applied: Vec<(String, Vec<String>)>,
    /// The variables, where they were asked for.
    pub variables: Option<Variables>,
}

/// Variables of the manifest that nobody else sets.
#[derive(Default)]
pub struct Variables {
    /// Values that are made here: addresses of databases, and generated ones.
    pub made: BTreeMap<String, String>,
    /// Those that are required and have no value.
    pub unset: Vec<String>,
}

/// Creates and migrates the components' databases. Where `environment` says what variables are set to, the others are made for
/// another host, who serves what is optional, too.
///
/// # Errors
/// What the manifest, the database or a migration says.
pub async fn migrate(
    manifest: &Source,
    mut settings: DatabaseSettings,
    environment: Option<&BTreeMap<String, String>>,
) -> anyhow::Result<Migrated> {
    let mut reading = manifest::read(manifest);
    if environment.is_none() {
        reading.leave_out_unused();
    }
    let app = reading.into_app().map_err(faults)?;
    settings.state_dir = prepare::state_dir(&settings.state_dir)?;
    settings.component_connections = prepare::component_connections(&app);
    let Some(database) = prepare::database(&app, &RuntimeConfig::default(), &settings).await? else {
        let variables = environment.map(|environment| variables(&app, environment, BTreeMap::new()));
        return Ok(Migrated { applied: Vec::new(), variables });
    };
    let made = make(&app, &database, environment).await;
    database.stop().await?;
    made
}

async fn make(
    app: &App,
    database: &Database,
    environment: Option<&BTreeMap<String, String>>,
) -> anyhow::Result<Migrated> {
    let provisioned = prepare::provision(app, database, &|_| true).await?;
    let variables = match environment {
        Some(environment) => {
            let mut made = database.generate(&app.generate).await?.variables;
            made.extend(provisioned.iter().flat_map(|one| prepare::addresses(&one.database)));
            Some(variables(app, environment, made))
        }
        None => None,
    };
    let applied = provisioned.into_iter().map(|one| (one.component, one.applied)).collect();
    Ok(Migrated { applied, variables })
}

fn variables(app: &App, environment: &BTreeMap<String, String>, mut made: BTreeMap<String, String>) -> Variables {
    // What was written down before and read by this shell is set by nobody else.
    let is_ours = |name: &String, value: &String| environment.get(name).is_none_or(|set| set == value);
    made.retain(|name, value| app.variables.contains_key(name) && is_ours(name, value));
    let has_value = |name: &String| made.contains_key(name) || environment.contains_key(name);
    let unset = app.variables.iter().filter(|(name, variable)| variable.default.is_none() && !has_value(name));
    let unset = unset.map(|(name, _)| name.clone()).collect();
    Variables { made, unset }
}
