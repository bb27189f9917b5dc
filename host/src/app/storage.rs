//! Where the application's key-value stores and SQLite databases are kept on this host.

use std::{collections::BTreeMap, path::Path};

use crate::{
    capability::{
        key_value::{SharedRows, Stores},
        sqlite::Databases,
    },
    manifest::runtime_config::{DEFAULT, Place, RuntimeConfig, StorePlace},
};

/// What is kept in files of SQLite, and stores elsewhere.
pub struct Storage {
    /// Key-value stores.
    pub stores: Stores,
    /// Databases.
    pub databases: Databases,
}

impl Storage {
    /// What the runtime config describes, and those called `default` in the state folder where it does not. `shared` is for stores in
    /// the host's own database, if it has one.
    pub fn new(state_dir: &Path, config: &RuntimeConfig, shared: Option<SharedRows>) -> Self {
        let folder = state_dir.join("sqlite");
        Self {
            stores: Stores::new(
                with_default(&config.key_value_stores, StorePlace::Sqlite(Place::File(folder.join("key_value.db")))),
                shared,
            ),
            databases: Databases::new(with_default(&config.sqlite_databases, Place::File(folder.join("default.db")))),
        }
    }
}

fn with_default<P: Clone>(described: &BTreeMap<String, P>, default: P) -> BTreeMap<String, P> {
    let mut places = described.clone();
    places.entry(DEFAULT.to_owned()).or_insert(default);
    places
}
