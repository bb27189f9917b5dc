//! The database server: embedded or outside, a database and role per component, migrations, generated secrets.
//!
//! [`Database::start`] gives a server with the host's own database `plaza` on it. There the host keeps role passwords,
//! generated secrets and dead letters, so that a second host on the same server shares them.

mod connections;
mod embedded;
mod error;
mod generate;
mod lease;
mod migrate;
mod provision;
mod scram;
mod secret;
mod server;

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sqlx::{PgPool, postgres::PgPoolOptions};

use self::{embedded::EmbeddedServer, server::Server};
pub use self::{
    embedded::StateLock,
    error::DatabaseError,
    generate::Generated,
    lease::{Lease, Leases},
    migrate::{MigrationError, Migrator, check_migrations, migrate},
};
use crate::{
    limits::{EMBEDDED_CONNECTIONS, HOST_CONNECTIONS, KEY_VALUE_CONNECTIONS, KEY_VALUE_TIME},
    manifest::app::Generate,
};

/// The oldest major version of PostgreSQL that serves: the first with `has_database_privilege('public', …)` semantics,
/// multirange types and SCRAM by default that the host relies on.
const OLDEST_VERSION: u32 = 14;

/// Where the database is.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// The folder that holds the embedded server, made if missing.
    pub state_dir: PathBuf,
    /// Where PostgreSQL's programs are, or are to be installed; `None` takes those on this machine, and installs them into
    /// the state folder where it has none.
    pub postgres_dir: Option<PathBuf>,
    /// An administrator's address of a server outside; `None` runs one.
    pub external_url: Option<String>,
    /// Connections that all components together may open; the embedded server is started for them.
    pub component_connections: u32,
}

impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DatabaseSettings")
            .field("state_dir", &self.state_dir)
            .field("postgres_dir", &self.postgres_dir)
            .field("external_url", &self.external_url.as_deref().map(secret::redact))
            .field("component_connections", &self.component_connections)
            .finish()
    }
}

/// A running server and a pool on the host's own database.
pub struct Database {
    state: PgPool,
    server: Server,
    /// Connections that components may open together, where that is known.
    component_connections: Option<u32>,
    /// Taken when it is stopped.
    embedded: Mutex<Option<EmbeddedServer>>,
}

impl Database {
    /// Starts the embedded server, or connects to the one outside, and brings the host's own database up to date.
    ///
    /// # Errors
    /// Each says what to do: see [`DatabaseError`].
    pub async fn start(settings: &DatabaseSettings) -> Result<Self, DatabaseError> {
        let DatabaseSettings { state_dir, postgres_dir, external_url, component_connections } = settings;
        let (server, embedded, component_connections) = match external_url {
            Some(url) => (Server::outside(url).await?, None, None),
            None => {
                let all = component_connections.saturating_add(HOST_CONNECTIONS).max(EMBEDDED_CONNECTIONS);
                let (server, embedded) = EmbeddedServer::start(state_dir, postgres_dir.as_deref(), all).await?;
                (server, Some(embedded), Some(all - HOST_CONNECTIONS))
            }
        };
        let state = server.open_state().await?;
        Ok(Self { state, server, component_connections, embedded: Mutex::new(embedded) })
    }

    /// The host's own database, `plaza`.
    pub fn state(&self) -> &PgPool {
        &self.state
    }

    /// Connections to the host's own database for what components keep there, so that they take none from the host.
    pub fn shared_rows(&self) -> PgPool {
        let options = (*self.state.connect_options()).clone();
        // The server ends for itself what a host that is cut off has begun.
        let time = format!("{}ms", KEY_VALUE_TIME.as_millis());
        let bounds = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];
        let options = options.options(bounds.map(|bound| (bound, time.clone()))).options(lease::SERVER_KEEPALIVE);
        PgPoolOptions::new()
            .max_connections(KEY_VALUE_CONNECTIONS)
            .acquire_timeout(server::ACQUIRE_TIMEOUT)
            .connect_lazy_with(options)
    }

    /// Connections that the embedded server has for all components together; `None` for a server outside, whose owner knows.
    pub fn component_connections(&self) -> Option<u32> {
        self.component_connections
    }

    /// Whether the server answers within a moment.
    pub async fn answers(&self) -> bool {
        let asking = sqlx::query("SELECT 1").execute(&self.state);
        matches!(tokio::time::timeout(server::ANSWER_TIMEOUT, asking).await, Ok(Ok(_)))
    }

    /// Where the server is, without a password.
    pub fn address(&self) -> &str {
        self.server.address()
    }

    /// Makes role and database `name` where they are missing, closed to every other role.
    ///
    /// # Errors
    /// [`DatabaseError::Name`] and [`DatabaseError::Taken`] for a name that cannot be used.
    pub async fn provision(&self, name: &str) -> Result<ComponentDatabase, DatabaseError> {
        provision::provision(&self.state, &self.server, name).await
    }

    /// The generated variables, made now where they are missing.
    ///
    /// # Errors
    /// [`DatabaseError::Query`] when the server does not answer.
    pub async fn generate(&self, wanted: &BTreeMap<String, Generate>) -> Result<Generated, DatabaseError> {
        generate::generate(&self.state, wanted).await
    }

    /// Notes that these generated passwords are being shown to a person; returns those that no other host shows.
    ///
    /// # Errors
    /// [`DatabaseError::Query`] when the server does not answer.
    pub async fn show(&self, names: &[String]) -> Result<Vec<String>, DatabaseError> {
        generate::show(&self.state, names).await
    }

    /// Takes the lease `name` if no other host has it.
    ///
    /// # Errors
    /// [`DatabaseError::Connect`] or [`DatabaseError::Query`] when the server does not answer.
    pub async fn try_lease(&self, name: &str) -> Result<Option<Lease>, DatabaseError> {
        self.leases().try_take(name).await
    }

    /// The leases of this server, for tasks that outlive the borrow.
    pub fn leases(&self) -> Leases {
        Leases::new(self.server.state_options())
    }

    /// Returns when the embedded server has ended and cannot be started again: [`DatabaseError::Lost`].
    pub fn lost(&self) -> impl Future<Output = DatabaseError> + use<> {
        let lost = self.embedded().as_ref().map(EmbeddedServer::lost);
        async move {
            match lost {
                Some(lost) => lost.await,
                None => std::future::pending().await,
            }
        }
    }

    /// Closes the pool and, if the server is embedded, stops it and waits for its end. Connections that others hold are cut.
    ///
    /// # Errors
    /// [`DatabaseError::Stop`] when the server does not end in time.
    pub async fn stop(&self) -> Result<(), DatabaseError> {
        let closing = tokio::time::timeout(server::CLOSE_TIMEOUT, self.state.close());
        if closing.await.is_err() {
            tracing::debug!("connections of the host were still in use when the database was stopped");
        }
        let embedded = self.embedded().take();
        match embedded {
            Some(embedded) => embedded.stop().await,
            None => Ok(()),
        }
    }

    fn embedded(&self) -> MutexGuard<'_, Option<EmbeddedServer>> {
        self.embedded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A component's own database.
#[derive(Clone, PartialEq, Eq)]
pub struct ComponentDatabase {
    /// `postgres://role:password@host:port/name`.
    pub url: String,
    /// `host:port`, as a grant names it.
    pub host: String,
    /// The name of the database and of its role.
    pub name: String,
    /// The folder with the server's Unix socket, a nearer way than `host`; the embedded server has one.
    pub socket: Option<PathBuf>,
}

impl fmt::Debug for ComponentDatabase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ComponentDatabase")
            .field("url", &secret::redact(&self.url))
            .field("host", &self.host)
            .field("name", &self.name)
            .finish()
    }
}
