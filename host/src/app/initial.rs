//! What stores and databases are given before anything is served, over what is in them already.

use std::collections::BTreeMap;

use anyhow::Context;

use super::storage::Storage;
use crate::manifest::runtime_config::DEFAULT;

/// What is given.
#[derive(Debug, Clone, Default)]
pub struct Initial {
    /// Keys of the key-value store `default`, and their values.
    pub key_values: BTreeMap<String, String>,
    /// Statements, in their order.
    pub sql: Vec<Sql>,
}

/// Statements for a SQLite database.
#[derive(Debug, Clone)]
pub struct Sql {
    /// Its name.
    pub database: String,
    /// One or several.
    pub statements: String,
}

impl Initial {
    /// Gives it to them.
    ///
    /// # Errors
    /// A database that nobody has described or that is in memory, and what SQLite says.
    pub async fn give(&self, storage: &Storage) -> anyhow::Result<()> {
        if !self.key_values.is_empty() {
            let store = storage.stores.grant(&[DEFAULT.to_owned()], usize::MAX)?;
            let store = store.get(DEFAULT).context("there is no key-value store `default`")?;
            for (key, value) in &self.key_values {
                let set = store.set(key.clone(), value.clone().into_bytes()).await;
                set.map_err(|failure| anyhow::anyhow!("{failure}")).with_context(|| format!("--key-value {key}=…"))?;
            }
        }
        for Sql { database, statements } in &self.sql {
            let run = storage.databases.run(database, statements.clone()).await;
            run.with_context(|| format!("--sqlite, on the database `{database}`"))?;
        }
        Ok(())
    }
}
