//! Variables that the host makes at the first start.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use sqlx::{PgPool, Row, postgres::PgRow};

use super::{DatabaseError, secret};
use crate::manifest::app::Generate;

/// Generated variables by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Generated {
    /// Every value; an Ed25519 pair is two of them, `<name>` and `<name>_public`.
    pub variables: BTreeMap<String, String>,
    /// Passwords that nobody has been shown yet.
    pub unseen: BTreeSet<String>,
}

impl fmt::Debug for Generated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.variables.keys().collect();
        formatter.debug_struct("Generated").field("variables", &names).field("unseen", &self.unseen).finish()
    }
}

/// The wanted values, made now where they are missing. Of two hosts that make one at once, the first one's stays.
pub(super) async fn generate(state: &PgPool, wanted: &BTreeMap<String, Generate>) -> Result<Generated, DatabaseError> {
    let failed = || DatabaseError::query("keep the generated variables");
    let mut kept = kept_values(state).await.map_err(failed())?;
    let missing: Vec<_> = wanted.iter().filter(|(name, kind)| !kept.contains_key(&key(name, **kind))).collect();
    for (name, kind) in &missing {
        insert(state, name, **kind).await.map_err(failed())?;
    }
    if !missing.is_empty() {
        kept = kept_values(state).await.map_err(failed())?;
    }
    let mut generated = Generated::default();
    for (name, kind) in wanted {
        let Some(Kept { value, shown }) = kept.remove(&key(name, *kind)) else { continue };
        if *kind == Generate::Password && !shown {
            generated.unseen.insert(name.clone());
        }
        add(&mut generated, name, *kind, value);
    }
    Ok(generated)
}

/// Notes that these passwords are being shown; returns those that no other host shows.
pub(super) async fn show(state: &PgPool, names: &[String]) -> Result<Vec<String>, DatabaseError> {
    sqlx::query_scalar(
        "UPDATE generated_values SET shown_at = now()
         WHERE name = ANY ($1) AND kind = 'password' AND shown_at IS NULL RETURNING name",
    )
    .bind(names)
    .fetch_all(state)
    .await
    .map_err(DatabaseError::query("note that the generated password is shown"))
}

/// A value that is kept.
struct Kept {
    value: String,
    shown: bool,
}

/// What a value is kept under.
fn key(name: &str, kind: Generate) -> (String, String) {
    (name.to_owned(), kind_name(kind).to_owned())
}

/// Adds a value, and with a private key its public one.
fn add(generated: &mut Generated, name: &str, kind: Generate, value: String) {
    if kind == Generate::Ed25519
        && let Some(public) = secret::ed25519_public(&value)
    {
        generated.variables.insert(format!("{name}_public"), public);
    }
    generated.variables.insert(name.to_owned(), value);
}

/// Everything kept so far, by name and kind.
async fn kept_values(state: &PgPool) -> Result<BTreeMap<(String, String), Kept>, sqlx::Error> {
    let rows = sqlx::query("SELECT name, kind, value, shown_at IS NOT NULL FROM generated_values");
    let read =
        |row: &PgRow| Ok(((row.try_get(0)?, row.try_get(1)?), Kept { value: row.try_get(2)?, shown: row.try_get(3)? }));
    rows.fetch_all(state).await?.iter().map(read).collect()
}

/// Makes a value and keeps it unless another host was faster.
async fn insert(state: &PgPool, name: &str, kind: Generate) -> Result<(), sqlx::Error> {
    let value = match kind {
        Generate::Password => secret::password(),
        // An Ed25519 seed is 32 random bytes as well (RFC 8032, section 5.1.5).
        Generate::Token | Generate::Ed25519 => secret::token(),
    };
    sqlx::query("INSERT INTO generated_values (name, kind, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(kind_name(kind))
        .bind(value)
        .execute(state)
        .await
        .map(drop)
}

/// The kind as the table spells it.
fn kind_name(kind: Generate) -> &'static str {
    match kind {
        Generate::Password => "password",
        Generate::Token => "token",
        Generate::Ed25519 => "ed25519",
    }
}
