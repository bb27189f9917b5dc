//! A role and a database for a component.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use super::{
    ComponentDatabase, DatabaseError, scram, secret,
    server::{CREATION_LOCK, STATE_DATABASE, Server, create_database},
};

/// Names that PostgreSQL or the host uses itself.
const RESERVED: [&str; 7] = [STATE_DATABASE, "plaza_admin", "postgres", "public", "none", "template0", "template1"];

/// Names are at most so long (PostgreSQL's NAMEDATALEN less one).
const NAME_BYTES: usize = 63;

/// What every component's role is set to: prepared statements keep one plan, and pages are not on spinning disks.
const ROLE_SETTINGS: [&str; 3] = ["plan_cache_mode = force_generic_plan", "random_page_cost = 1.1", "jit = off"];

/// Makes role and database where they are missing.
pub(super) async fn provision(state: &PgPool, server: &Server, name: &str) -> Result<ComponentDatabase, DatabaseError> {
    if !is_usable(name) {
        return Err(DatabaseError::Name { name: name.to_owned() });
    }
    let password = match complete(state, name).await? {
        Some(password) => password,
        None => create(server, name).await?,
    };
    Ok(ComponentDatabase {
        url: server.component_url(name, &password),
        host: server.component_host().to_owned(),
        name: name.to_owned(),
        socket: server.component_socket().map(Path::to_owned),
    })
}

/// May this be a role and a database?
fn is_usable(name: &str) -> bool {
    let begins_well = name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.starts_with("pg_");
    let well_made = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    begins_well && well_made && name.len() <= NAME_BYTES && !RESERVED.contains(&name)
}

/// The password, if nothing is left to do.
async fn complete(state: &PgPool, name: &str) -> Result<Option<String>, DatabaseError> {
    sqlx::query_scalar(
        "SELECT password FROM component_databases
         JOIN pg_roles ON rolname = name
         JOIN pg_database ON datname = name AND datdba = pg_roles.oid
         WHERE name = $1 AND NOT has_database_privilege('public', pg_database.oid, 'CONNECT')",
    )
    .bind(name)
    .fetch_optional(state)
    .await
    .map_err(DatabaseError::query(format!("look up the database `{name}`")))
}

/// Makes what is missing, one host at a time.
async fn create(server: &Server, name: &str) -> Result<String, DatabaseError> {
    let mut connection = server.connect(&server.state_options()).await?;
    let failed = || DatabaseError::query(format!("make the database `{name}`"));
    // Its end, also the one by an error, frees the lock.
    sqlx::query("SELECT pg_advisory_lock($1)").bind(CREATION_LOCK).execute(&mut connection).await.map_err(failed())?;
    let password = create_role(&mut connection, name).await?;
    let owner: Option<String> =
        sqlx::query_scalar("SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1")
            .bind(name)
            .fetch_optional(&mut connection)
            .await
            .map_err(failed())?;
    if owner.is_some_and(|owner| owner != name) {
        return Err(DatabaseError::Taken { what: "database", name: name.to_owned() });
    }
    create_database(&mut connection, name, Some(name)).await.map_err(failed())?;
    drop(connection.close().await);
    Ok(password)
}

/// Makes the role and keeps its password in one transaction, so that neither is ever there without the other.
async fn create_role(connection: &mut PgConnection, name: &str) -> Result<String, DatabaseError> {
    let failed = || DatabaseError::query(format!("make the role `{name}`"));
    let mut transaction = connection.begin().await.map_err(failed())?;
    let kept: Option<String> = sqlx::query_scalar("SELECT password FROM component_databases WHERE name = $1")
        .bind(name)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed())?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(name)
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed())?;
    let password = match (kept, exists) {
        (Some(password), true) => return Ok(password),
        (None, true) => return Err(DatabaseError::Taken { what: "role", name: name.to_owned() }),
        (Some(password), false) => password,
        (None, false) => keep_password(&mut transaction, name).await.map_err(failed())?,
    };
    let verifier = scram::verifier(&password);
    // Membership lets an administrator who is no superuser make a database that the role owns.
    let mut statements =
        format!("CREATE ROLE \"{name}\" LOGIN PASSWORD '{verifier}'; GRANT \"{name}\" TO CURRENT_USER;");
    for setting in ROLE_SETTINGS {
        statements.push_str(&format!("ALTER ROLE \"{name}\" SET {setting};"));
    }
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *transaction).await.map_err(failed())?;
    transaction.commit().await.map_err(failed())?;
    Ok(password)
}

/// A fresh password, kept.
async fn keep_password(connection: &mut PgConnection, name: &str) -> Result<String, sqlx::Error> {
    let password = secret::password();
    sqlx::query("INSERT INTO component_databases (name, password) VALUES ($1, $2)")
        .bind(name)
        .bind(&password)
        .execute(connection)
        .await?;
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_mean_something_else_are_refused() {
        for name in ["", "Orders", "1st", "a-b", "a\"b", "plaza", "postgres", "pg_x", "x\0", &"a".repeat(64)] {
            assert!(!is_usable(name), "{name:?}");
        }
        assert!(is_usable("orders_database"));
    }
}
