//! How a server is reached, and the host's own database on it.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use super::{
    DatabaseError, OLDEST_VERSION,
    error::{sql_state, words},
    migrate::{self, Script},
    secret,
};

/// The host's own database.
pub(super) const STATE_DATABASE: &str = "plaza";

/// Connections of the host to its own database.
const STATE_CONNECTIONS: u32 = 8;

/// How long a connection of the pool is waited for.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server outside may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the server may take to show that it is there.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long connections in use hold up a stop.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Serialises hosts that make databases or roles at the same time. Any constant will do; this one is "plaza" in ASCII.
pub(super) const CREATION_LOCK: i64 = 0x70_6c61_7a61;

/// The steps that made the host's own database what it is.
const STATE_MIGRATIONS: [(&str, &str); 9] = [
    ("0001_first.sql", include_str!("state/0001_first.sql")),
    ("0002_versions.sql", include_str!("state/0002_versions.sql")),
    ("0003_shown.sql", include_str!("state/0003_shown.sql")),
    ("0004_replays.sql", include_str!("state/0004_replays.sql")),
    ("0005_files.sql", include_str!("state/0005_files.sql")),
    ("0006_answered.sql", include_str!("state/0006_answered.sql")),
    ("0007_waiting.sql", include_str!("state/0007_waiting.sql")),
    ("0008_trials.sql", include_str!("state/0008_trials.sql")),
    ("0009_key_values.sql", include_str!("state/0009_key_values.sql")),
];

/// A server that can be reached.
#[derive(Clone)]
pub(super) struct Server {
    administrator: PgConnectOptions,
    /// The administrator's own database, from which others are made.
    entrance: String,
    address: String,
    component_host: String,
    component_socket: Option<PathBuf>,
    component_parameters: String,
}

impl Server {
    /// The embedded server. Its Unix socket is how everybody enters; by loopback TCP it has the address that grants speak of.
    pub(super) fn embedded(administrator: PgConnectOptions, port: u16) -> Self {
        let component_host = format!("127.0.0.1:{port}");
        Self {
            component_socket: administrator.get_socket().cloned(),
            administrator: quiet(administrator),
            entrance: "postgres".to_owned(),
            address: component_host.clone(),
            component_host,
            component_parameters: String::new(),
        }
    }

    /// A server that an administrator's address names; checks its version and the administrator's rights.
    pub(super) async fn outside(url: &str) -> Result<Self, DatabaseError> {
        let administrator = read_address(url)?;
        let entrance = administrator.get_database().unwrap_or("postgres").to_owned();
        let host = match administrator.get_host() {
            host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
            host => host.to_owned(),
        };
        let server = Self {
            address: secret::redact(url),
            component_host: format!("{host}:{}", administrator.get_port()),
            component_socket: None,
            component_parameters: tls_parameters(url),
            entrance,
            administrator: quiet(administrator),
        };
        server.check().await?;
        Ok(server)
    }

    /// Where it is, without a password.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// `host:port` as components reach it.
    pub(super) fn component_host(&self) -> &str {
        &self.component_host
    }

    /// The folder with the Unix socket by which the host's own connections for components enter.
    pub(super) fn component_socket(&self) -> Option<&Path> {
        self.component_socket.as_deref()
    }

    /// The address with which a role enters its own database. Passwords are of letters and digits and need no escape.
    pub(super) fn component_url(&self, name: &str, password: &str) -> String {
        format!("postgres://{name}:{password}@{}/{name}{}", self.component_host, self.component_parameters)
    }

    /// How the host enters its own database.
    pub(super) fn state_options(&self) -> PgConnectOptions {
        self.administrator.clone().database(STATE_DATABASE)
    }

    /// One connection, as the administrator.
    pub(super) async fn connect(&self, options: &PgConnectOptions) -> Result<PgConnection, DatabaseError> {
        connect(options, CONNECT_TIMEOUT)
            .await
            .map_err(|cause| DatabaseError::Connect { address: self.address.clone(), cause })
    }

    /// Opens the host's own database; makes it first, and brings it up to date, where needed.
    pub(super) async fn open_state(&self) -> Result<PgPool, DatabaseError> {
        let options = self.state_options();
        let mut connection = match connect(&options, CONNECT_TIMEOUT).await {
            Ok(connection) => connection,
            Err(error) if sql_state(&error).as_deref() == Some("3D000") => {
                self.create_state().await?;
                self.connect(&options).await?
            }
            Err(cause) => return Err(DatabaseError::Connect { address: self.address.clone(), cause }),
        };
        let scripts = STATE_MIGRATIONS.map(|(file, sql)| Script::embedded(file, sql));
        migrate::apply(&mut connection, &scripts).await?;
        // Its end is not waited for with interest: everything on it is committed.
        drop(connection.close().await);
        Ok(PgPoolOptions::new()
            .max_connections(STATE_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options))
    }

    /// Makes the host's own database, once however many hosts start together, and closes it to others.
    async fn create_state(&self) -> Result<(), DatabaseError> {
        let mut connection = self.connect(&self.administrator.clone().database(&self.entrance)).await?;
        let failed = || DatabaseError::query(format!("make the database `{STATE_DATABASE}`"));
        sqlx::query("SELECT pg_advisory_lock($1)")
            .bind(CREATION_LOCK)
            .execute(&mut connection)
            .await
            .map_err(failed())?;
        create_database(&mut connection, STATE_DATABASE, None).await.map_err(failed())?;
        if self.entrance == "postgres" && self.address == self.component_host {
            // The embedded server is ours alone: no component has business in the databases that initdb made.
            let closing =
                "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC; REVOKE CONNECT ON DATABASE template1 FROM PUBLIC";
            sqlx::raw_sql(closing).execute(&mut connection).await.map_err(failed())?;
        }
        drop(connection.close().await);
        Ok(())
    }

    /// Is the server new enough, and may the administrator make databases and roles?
    async fn check(&self) -> Result<(), DatabaseError> {
        let mut connection = self.connect(&self.administrator.clone().database(&self.entrance)).await?;
        let row = sqlx::query(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version'),
                    rolname::text, rolsuper OR rolcreatedb, rolsuper OR rolcreaterole
             FROM pg_roles WHERE rolname = current_user",
        )
        .fetch_one(&mut connection)
        .await
        .map_err(DatabaseError::query("read the server's version"))?;
        drop(connection.close().await);
        let read = DatabaseError::query("read the server's version");
        let (number, version, user, may_create_databases, may_create_roles) = fields(&row).map_err(read)?;
        if u32::try_from(number).unwrap_or(0) / 10_000 < OLDEST_VERSION {
            return Err(DatabaseError::ServerVersion {
                address: self.address.clone(),
                version,
                oldest: OLDEST_VERSION,
            });
        }
        let missing: Vec<&str> = [(may_create_databases, "CREATEDB"), (may_create_roles, "CREATEROLE")]
            .iter()
            .filter(|(has, _)| !has)
            .map(|(_, right)| *right)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(DatabaseError::Rights { user, address: self.address.clone(), missing: missing.join(" ") })
    }
}

/// The columns of the version and rights query.
fn fields(row: &sqlx::postgres::PgRow) -> Result<(i32, String, String, bool, bool), sqlx::Error> {
    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?))
}

/// Makes a database that only its owner may enter, if it is missing. The caller holds [`CREATION_LOCK`].
pub(super) async fn create_database(
    connection: &mut PgConnection,
    name: &str,
    owner: Option<&str>,
) -> Result<(), sqlx::Error> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        let owner = owner.map(|owner| format!(" OWNER \"{owner}\"")).unwrap_or_default();
        let create = format!("CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'{owner}");
        match sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut *connection).await {
            // Made in the meantime by somebody who does not know our lock.
            Err(error) if matches!(sql_state(&error).as_deref(), Some("42P04" | "23505")) => {}
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    let close = format!("REVOKE ALL ON DATABASE \"{name}\" FROM PUBLIC");
    sqlx::raw_sql(AssertSqlSafe(close)).execute(connection).await?;
    Ok(())
}

/// One connection within a time.
pub(super) async fn connect(options: &PgConnectOptions, within: Duration) -> Result<PgConnection, sqlx::Error> {
    match tokio::time::timeout(within, options.connect()).await {
        Ok(connection) => connection,
        Err(_) => Err(sqlx::Error::Io(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            format!("no answer within {} s", within.as_secs()),
        ))),
    }
}

/// Options for a component's own address.
pub(crate) fn component_options(url: &str) -> Result<PgConnectOptions, DatabaseError> {
    PgConnectOptions::from_str(url).map(quiet).map_err(|error| DatabaseError::Address { reason: words(&error) })
}

/// sqlx would log statements, and some of ours hold passwords.
fn quiet(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("plaza").disable_statement_logging()
}

/// An administrator's address; its faults are told without repeating it.
fn read_address(url: &str) -> Result<PgConnectOptions, DatabaseError> {
    let fault = |reason: &str| DatabaseError::Address { reason: reason.to_owned() };
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(fault("it does not begin with postgres://"));
    }
    let options = PgConnectOptions::from_str(url).map_err(|error| fault(&words(&error)))?;
    if options.get_socket().is_some() {
        return Err(fault("components need a TCP address, not a socket"));
    }
    Ok(options)
}

/// The part of the administrator's address that says how to encrypt, for the components' addresses.
fn tls_parameters(url: &str) -> String {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let kept: Vec<&str> =
        parameters.split('&').filter(|pair| pair.starts_with("sslmode=") || pair.starts_with("sslrootcert=")).collect();
    match kept.is_empty() {
        true => String::new(),
        false => format!("?{}", kept.join("&")),
    }
}

/// Options for the embedded server that take nothing from the environment.
pub(super) fn embedded_options(socket: &std::path::Path, port: u16, user: &str, password: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .socket(socket)
        .username(user)
        .password(password)
        .ssl_mode(PgSslMode::Disable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_address_is_told_without_its_password() {
        for url in ["mysql://u:hunter2@h/d", "postgres://u:hunter2@h:port/d", "hunter2"] {
            let message = read_address(url).unwrap_err().to_string();
            assert!(!message.contains("hunter2"), "{message}");
            assert!(message.contains("postgres://user:password@host:port/database"), "{message}");
        }
    }

    #[test]
    fn components_inherit_how_the_administrator_encrypts() {
        assert_eq!(tls_parameters("postgres://h/d?sslmode=require&user=x"), "?sslmode=require");
        assert_eq!(tls_parameters("postgres://h/d"), "");
    }
}
