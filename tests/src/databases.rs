//! The databases of a running host, seen from the side.

use sqlx::{
    AssertSqlSafe, ConnectOptions, PgConnection, Postgres,
    postgres::{PgConnectOptions, PgRow},
};

use crate::Host;

/// Access to the embedded server as its owner.
pub struct Databases {
    options: PgConnectOptions,
}

impl Databases {
    /// The embedded server of this host.
    pub fn of(host: &Host) -> Self {
        Self { options: host.setup().state().database_owner() }
    }

    /// A connection to one of the databases.
    pub async fn connect(&self, database: &str) -> PgConnection {
        self.options.clone().database(database).connect().await.unwrap_or_else(|error| panic!("{database}: {error}"))
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
}
