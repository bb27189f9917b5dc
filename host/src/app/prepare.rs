//! What must be there before a component runs: the state folder, databases, migrations, values of variables.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use futures::future::try_join_all;

use super::{
    options::Options,
    variables::{self, Sources},
};
use crate::{
    database::{ComponentDatabase, Database, DatabaseSettings, migrate},
    limits::{COMPONENTS_CONNECTIONS, OUTBOX_CONNECTIONS},
    manifest::{App, app::Component, runtime_config::RuntimeConfig},
};

/// Databases and values.
pub struct Data {
    /// The value of every variable.
    pub values: BTreeMap<String, String>,
    /// The components' databases, by component id.
    pub databases: BTreeMap<String, ComponentDatabase>,
    /// Generated passwords that nobody has been shown yet, by variable.
    pub unseen_passwords: BTreeMap<String, String>,
    /// How many migrations were applied.
    pub migrations: usize,
}

/// Whether an application, with this runtime config, needs a database server at all.
pub fn needs_database(app: &App, config: &RuntimeConfig) -> bool {
    let uses = |component: &Component| {
        component.plaza.database.is_some()
            || component.plaza.tick_seconds.is_some()
            || !component.plaza.subscribe.is_empty()
    };
    config.keeps_in_postgres() || !app.generate.is_empty() || app.components.values().any(uses)
}

/// Of how many parts an instance of an application's components is made at most: of the component, and of what each of its
/// dependencies is composed in for, and what stands around it.
pub fn parts_per_instance(app: &App) -> u32 {
    let parts = app.components.values().map(|component| component.parts().count().saturating_add(1));
    parts.max().and_then(|parts| u32::try_from(parts).ok()).unwrap_or(1)
}

/// Why an instance of this manifest's components has more parts than the engine was made for.
pub fn too_many_parts(app: &App, there_are: u32) -> Option<String> {
    let wanted = parts_per_instance(app);
    (wanted > there_are).then(|| {
        format!(
            "takes a restart: an instance has {wanted} parts, itself and its dependencies, and this host was started for {there_are}"
        )
    })
}

/// Connections that the components of an application may open to their own databases, and the relays of their outboxes.
pub fn component_connections(app: &App) -> u32 {
    let with_database = app.components.values().filter(|component| component.plaza.database.is_some());
    let each = with_database.map(|component| component.plaza.limits.database_connections + OUTBOX_CONNECTIONS);
    each.fold(0, u32::saturating_add)
}

/// Why a server that was started for another manifest has too few connections for this one.
pub fn short_of_connections(app: &App, database: Option<&Database>) -> Option<String> {
    let there_are = database.and_then(Database::component_connections)?;
    let wanted = component_connections(app);
    (wanted > there_are).then(|| {
        format!(
            "takes a restart: its components may open {wanted} database connections, and the embedded server was started for \
             {there_are}; or lower their limits.database_connections"
        )
    })
}

/// Starts or reaches the database server, if the application needs one.
///
/// # Errors
/// What the server says, and more connections than the embedded server can have.
pub async fn database(
    app: &App,
    config: &RuntimeConfig,
    settings: &DatabaseSettings,
) -> anyhow::Result<Option<Database>> {
    if !needs_database(app, config) {
        return Ok(None);
    }
    let wanted = settings.component_connections;
    if settings.external_url.is_none() && wanted > COMPONENTS_CONNECTIONS {
        bail!(
            "the components may open {wanted} database connections, more than the {COMPONENTS_CONNECTIONS} for which the embedded \
             server can be started: lower their limits.database_connections, or name a server with --database-url"
        );
    }
    Ok(Some(Database::start(settings).await?))
}

/// Makes what is missing on the server, migrates the databases of those components of which `migrated` says so, and works
/// out the value of every variable.
///
/// # Errors
/// What the database or a migration says, and every variable that has no value.
pub async fn data(
    app: &App,
    options: &Options,
    database: Option<&Database>,
    migrated: &(dyn Fn(&Component) -> bool + Sync),
) -> anyhow::Result<Data> {
    let mut migrations = 0;
    let mut made = BTreeMap::new();
    let mut unseen_passwords = BTreeMap::new();
    let mut databases = BTreeMap::new();
    if let Some(database) = database {
        let set = |name: &String| options.variables.contains_key(name) || options.environment.contains_key(name);
        let wanted = app.generate.iter().filter(|(name, _)| !set(name)).map(|(name, kind)| (name.clone(), *kind));
        let generated = database.generate(&wanted.collect()).await?;
        for name in &generated.unseen {
            if let Some(value) = generated.variables.get(name) {
                unseen_passwords.insert(name.clone(), value.clone());
            }
        }
        made.extend(generated.variables);
        for provisioned in provision(app, database, migrated).await? {
            migrations += provisioned.applied.len();
            for migration in &provisioned.applied {
                tracing::info!(component = provisioned.component, migration, "migrated");
            }
            databases.insert(provisioned.component, provisioned.database);
        }
        made.extend(databases.values().flat_map(addresses));
    }
    let sources = Sources { flags: options.variables.clone(), environment: options.environment.clone(), made };
    let values = variables::resolve(app, &sources).map_err(|faults| anyhow!(faults.join("\n")))?;
    Ok(Data { values, databases, unseen_passwords, migrations })
}

/// The variables that say where a component's database is.
pub fn addresses(database: &ComponentDatabase) -> [(String, String); 2] {
    let ComponentDatabase { url, host, name, .. } = database;
    [(format!("{name}_url"), url.clone()), (format!("{name}_host"), host.clone())]
}

/// Variables that are set from outside, whatever the manifest says: by the command line or the environment.
pub fn set_outside(options: &Options) -> BTreeSet<String> {
    options.variables.keys().chain(options.environment.keys()).cloned().collect()
}

/// The values that the variables of an application would have, before anything is made for it: what is made already has its
/// value of `now`.
///
/// # Errors
/// As [`data`] of variables.
pub fn foreseen(
    app: &App,
    options: &Options,
    now: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Vec<String>> {
    let databases = app.components.values().filter_map(|component| component.plaza.database.as_ref());
    let addresses = databases.flat_map(|name| [format!("{name}_url"), format!("{name}_host")]);
    let generated = app.generate.keys().flat_map(|name| [name.clone(), format!("{name}_public")]);
    let known = |name: String| (name.clone(), now.get(&name).cloned().unwrap_or_default());
    let made = addresses.chain(generated).map(known).collect();
    variables::resolve(
        app,
        &Sources { flags: options.variables.clone(), environment: options.environment.clone(), made },
    )
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

/// A database for each component that asks for one, migrated where `migrated` says so.
///
/// # Errors
/// What the database or a migration says.
pub async fn provision(
    app: &App,
    database: &Database,
    migrated: &(dyn Fn(&Component) -> bool + Sync),
) -> anyhow::Result<Vec<Provisioned>> {
    let wanted = app.components.values().filter_map(|component| Some((component, component.plaza.database.as_ref()?)));
    let made = wanted.map(|(component, name)| async move {
        let made = database.provision(name).await?;
        let applied = match component.plaza.migrations.as_ref().filter(|_| migrated(component)) {
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
    if folder.exists() && !folder.is_dir() {
        bail!("the state folder {} is a file; name a folder with --state-dir", folder.display());
    }
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
