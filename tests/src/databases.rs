//! The databases of a running host, seen from the side.

use std::path::Path;

use rdkafka::error::KafkaError;
use sqlx::{
    AssertSqlSafe, ConnectOptions, PgConnection, Postgres,
    postgres::{PgConnectOptions, PgRow},
};

use crate::{Host, state, until};

/// A database, or a broker, could not be asked.
#[derive(Debug)]
pub struct Unreachable(String);

/// Access to a host's database server, as its owner or whoever made the databases.
pub struct Databases {
    options: PgConnectOptions,
}

impl Databases {
    /// The embedded server of this host.
    pub fn of(host: &Host) -> Self {
        Self { options: host.setup().state().database_owner() }
    }

    /// The embedded server of the host with this state folder.
    pub fn in_state(folder: &Path) -> Result<Self, Unreachable> {
        let options = state::database_owner(folder).map_err(|error| Unreachable(error.to_string()))?;
        Ok(Self { options })
    }

    /// The server at this address.
    pub fn at(url: &str) -> Result<Self, Unreachable> {
        // The address may hold a password, so the message does not repeat it.
        let options: PgConnectOptions = url.parse().map_err(|_| {
            Unreachable(
                "that is no address of a PostgreSQL server: postgres://user:password@host:port/database".to_owned(),
            )
        })?;
        Ok(Self { options: options.disable_statement_logging() })
    }

    /// A connection to one of the databases.
    pub async fn connect(&self, database: &str) -> PgConnection {
        self.open(database).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A connection to one of the databases, for when the server may be away.
    pub async fn open(&self, database: &str) -> Result<PgConnection, Unreachable> {
        let connecting = self.options.clone().database(database).connect().await;
        connecting.map_err(|error| Unreachable(format!("{database}: {error}")))
    }

    /// A session on the server that belongs to no component.
    pub async fn open_session(&self) -> Result<PgConnection, Unreachable> {
        let database = self.options.get_database().unwrap_or("postgres").to_owned();
        self.open(&database).await
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.options.get_port()
    }

    /// Runs a statement in one of the databases.
    pub async fn execute(&self, database: &str, statement: &str) {
        let mut connection = self.connect(database).await;
        let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
        done.unwrap_or_else(|error| panic!("{database}: {error} in {statement}"));
    }

    /// The rows of a query in one of the databases.
    pub async fn rows<T>(&self, database: &str, query: &str) -> Vec<T>
    where
        T: for<'row> sqlx::FromRow<'row, PgRow> + Send + Unpin,
    {
        let mut connection = self.connect(database).await;
        sqlx::query_as::<Postgres, T>(AssertSqlSafe(query.to_owned()))
            .fetch_all(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{database}: {error} in {query}"))
    }

    /// The one number that a query returns.
    pub async fn number(&self, database: &str, query: &str) -> i64 {
        self.rows::<(i64,)>(database, query).await.first().expect("one row").0
    }

    /// How many rows of a table are read while something is asked for so many times, which each time looks into one of its indexes.
    pub async fn rows_read(&self, database: &str, table: &str, times: i64, ask: impl AsyncFn()) -> i64 {
        let counted = format!(
            "SELECT idx_scan, coalesce(idx_tup_fetch, 0) + seq_tup_read FROM pg_stat_user_tables WHERE relname = '{table}'"
        );
        let counts = async || self.rows::<(i64, i64)>(database, &counted).await[0];
        let before = counts().await;
        for _ in 0..times {
            ask().await;
        }
        let seen = async || Some(counts().await).filter(|now| now.0 >= before.0 + times);
        until("the server has counted", seen).await.1 - before.1
    }
}

impl std::fmt::Display for Unreachable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreachable {}

impl From<KafkaError> for Unreachable {
    fn from(error: KafkaError) -> Self {
        Self(format!("the brokers: {error}"))
    }
}

impl From<sqlx::Error> for Unreachable {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}
