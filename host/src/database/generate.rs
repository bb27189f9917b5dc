//! Variables that the host makes at the first start.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use sqlx::{PgPool, Row};

use super::{DatabaseError, secret};
use crate::manifest::app::Generate;

/// Generated variables by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Generated {
    /// Every value; an Ed25519 pair is two of them, `<name>` and `<name>_public`.
    pub variables: BTreeMap<String, String>,
    /// Those that this call made.
    pub fresh: BTreeSet<String>,
}

impl fmt::Debug for Generated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.variables.keys().collect();
        formatter.debug_struct("Generated").field("variables", &names).field("fresh", &self.fresh).finish()
    }
}

/// The wanted values, made now where they are missing. Of two hosts that make one at once, the first one's stays.
pub(super) async fn generate(state: &PgPool, wanted: &BTreeMap<String, Generate>) -> Result<Generated, DatabaseError> {
    let failed = || DatabaseError::query("keep the generated variables");
    let mut kept = kept_values(state).await.map_err(failed())?;
    let mut fresh = BTreeSet::new();
    for (name, kind) in wanted {
        let key = (name.clone(), kind_name(*kind).to_owned());
        if !kept.contains_key(&key) && insert(state, name, *kind).await.map_err(failed())? {
            fresh.insert(name.clone());
        }
    }
    if wanted.iter().any(|(name, kind)| !kept.contains_key(&(name.clone(), kind_name(*kind).to_owned()))) {
        kept = kept_values(state).await.map_err(failed())?;
    }
    let mut generated = Generated { variables: BTreeMap::new(), fresh };
    for (name, kind) in wanted {
        if let Some(value) = kept.remove(&(name.clone(), kind_name(*kind).to_owned())) {
            add(&mut generated, name, *kind, value);
        }
    }
    Ok(generated)
}

/// Adds a value, and with a private key its public one.
fn add(generated: &mut Generated, name: &str, kind: Generate, value: String) {
    if kind == Generate::Ed25519
        && let Some(public) = secret::ed25519_public(&value)
    {
        let public_name = format!("{name}_public");
        if generated.fresh.contains(name) {
            generated.fresh.insert(public_name.clone());
        }
        generated.variables.insert(public_name, public);
    }
    generated.variables.insert(name.to_owned(), value);
}

/// Everything kept so far, by name and kind.
async fn kept_values(state: &PgPool) -> Result<BTreeMap<(String, String), String>, sqlx::Error> {
    let rows = sqlx::query("SELECT name, kind, value FROM generated_values").fetch_all(state).await?;
    rows.iter().map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))).collect()
}

/// Makes a value and keeps it unless another host was faster; says whether it stayed.
async fn insert(state: &PgPool, name: &str, kind: Generate) -> Result<bool, sqlx::Error> {
    let value = match kind {
        Generate::Password => secret::password(),
        // An Ed25519 seed is 32 random bytes as well (RFC 8032, section 5.1.5).
        Generate::Token | Generate::Ed25519 => secret::token(),
    };
    let inserted =
        sqlx::query("INSERT INTO generated_values (name, kind, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(name)
            .bind(kind_name(kind))
            .bind(value)
            .execute(state)
            .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The kind as the table spells it.
fn kind_name(kind: Generate) -> &'static str {
    match kind {
        Generate::Password => "password",
        Generate::Token => "token",
        Generate::Ed25519 => "ed25519",
    }
}
