//! What must be there before a component runs: the state folder, databases, migrations, values of variables.

use std::{collections::BTreeMap, path::Path, path::PathBuf};

use anyhow::{Context, anyhow};
use futures::future::try_join_all;

use super::{
    Options,
    variables::{self, Sources},
};
use crate::{
    database::{ComponentDatabase, Database, DatabaseSettings, migrate},
    manifest::{App, app::Component, app::Generate},
};

/// Databases and values.
pub struct Data {
    /// The value of every variable.
    pub values: BTreeMap<String, String>,
    /// The components' databases, by component id.
    pub databases: BTreeMap<String, ComponentDatabase>,
    /// Passwords that were made just now, by variable.
    pub fresh_passwords: BTreeMap<String, String>,
}

/// Whether an application needs a database server at all.
pub fn needs_database(app: &App) -> bool {
    let uses = |component: &Component| {
        component.plaza.database.is_some()
            || component.plaza.tick_seconds.is_some()
            || !component.plaza.subscribe.is_empty()
    };
    !app.generate.is_empty() || app.components.values().any(uses)
}

/// Starts or reaches the database server, if the application needs one.
///
/// # Errors
/// What the server says.
pub async fn database(app: &App, settings: &DatabaseSettings) -> anyhow::Result<Option<Database>> {
    if !needs_database(app) {
        return Ok(None);
    }
    Ok(Some(Database::start(settings).await?))
}

/// Makes what is missing on the server, migrates it, and works out the value of every variable.
///
/// # Errors
/// What the database or a migration says, and every variable that has no value.
pub async fn data(app: &App, options: &Options, database: Option<&Database>) -> anyhow::Result<Data> {
    let mut made = BTreeMap::new();
    let mut fresh_passwords = BTreeMap::new();
    let mut databases = BTreeMap::new();
    if let Some(database) = database {
        let generated = database.generate(&app.generate).await?;
        for name in generated.fresh.iter().filter(|name| app.generate.get(*name) == Some(&Generate::Password)) {
            if let Some(value) = generated.variables.get(name) {
                fresh_passwords.insert(name.clone(), value.clone());
            }
        }
        made.extend(generated.variables);
        for provisioned in provision(app, database).await? {
            for migration in &provisioned.applied {
                tracing::info!(component = provisioned.component, migration, "migrated");
            }
            databases.insert(provisioned.component, provisioned.database);
        }
        for database in databases.values() {
            made.insert(format!("{}_url", database.name), database.url.clone());
            made.insert(format!("{}_host", database.name), database.host.clone());
        }
    }
    let environment = variables::from_environment(std::env::vars());
    let sources = Sources { flags: options.variables.clone(), environment, made };
    let values = variables::resolve(app, &sources).map_err(|faults| anyhow!(faults.join("\n")))?;
    fresh_passwords.retain(|name, password| values.get(name) == Some(password));
    Ok(Data { values, databases, fresh_passwords })
}

/// A component's database, and the migrations that were applied to it just now.
pub struct Provisioned {
    /// The component's id.
    pub component: String,
    /// Its database.
    pub database: ComponentDatabase,
    /// Names of migrations.
    pub applied: Vec<String>,
}

/// A database for each component that asks for one, migrated.
///
/// # Errors
/// What the database or a migration says.
pub async fn provision(app: &App, database: &Database) -> anyhow::Result<Vec<Provisioned>> {
    let wanted = app.components.values().filter_map(|component| Some((component, component.plaza.database.as_ref()?)));
    let made = wanted.map(|(component, name)| async move {
        let made = database.provision(name).await?;
        let applied = match &component.plaza.migrations {
            Some(folder) => migrate(&made, folder).await.with_context(|| format!("component {}", component.id))?,
            None => Vec::new(),
        };
        anyhow::Ok(Provisioned { component: component.id.clone(), database: made, applied })
    });
    try_join_all(made).await
}

/// Makes the state folder, closed to others but passable for the database server's own user.
///
/// # Errors
/// When it cannot be made.
pub fn state_dir(folder: &Path) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    if !folder.exists() {
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711)))
            .with_context(|| {
                format!("cannot make the state folder {}; name another with --state-dir", folder.display())
            })?;
    }
    let folder =
        folder.canonicalize().with_context(|| format!("cannot enter the state folder {}", folder.display()))?;
    for (name, mode) in [("cache", 0o700), ("files", 0o700)] {
        let inner = folder.join(name);
        std::fs::create_dir_all(&inner)
            .and_then(|()| std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(mode)))
            .with_context(|| format!("cannot make {}; is the disk full?", inner.display()))?;
    }
    Ok(folder)
}
