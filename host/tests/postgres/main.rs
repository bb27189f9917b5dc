//! The `postgres` capability against a real server.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod encryption;
mod environment;
mod guests;
mod program;
mod server;
mod sessions;
mod streams;
mod values;
mod versions;

use plaza::capability::postgres::{Connection, DbValue, Error, ParameterValue, PoolSettings, Pools};
use plaza::manifest::grant::AllowedHosts;
use server::Server;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The server that most tests share, each in a database of its own.
fn shared_server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// A database, and one component's pools.
struct Fixture {
    address: String,
    pools: Pools,
    written: Arc<Notify>,
}

impl Fixture {
    /// A new database on the shared server.
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with other settings.
    async fn with(change: impl FnOnce(&mut PoolSettings)) -> Self {
        let server = shared_server();
        let database = format!("test_{}", uuid::Uuid::new_v4().simple());
        let admin = Self::on(server, "postgres", |_| {});
        admin.execute(&format!("CREATE DATABASE {database}")).await;
        admin.pools.close().await;
        Self::on(server, &database, change)
    }

    /// An existing database of any server.
    fn on(server: &Server, database: &str, change: impl FnOnce(&mut PoolSettings)) -> Self {
        let written = Arc::new(Notify::new());
        let mut settings = PoolSettings {
            component: "tested".to_owned(),
            grants: Arc::new(AllowedHosts::parse([format!("postgres://127.0.0.1:{}", server.port)]).unwrap()),
            blocked: Arc::default(),
            own_server: None,
            max_connections: 4,
            query_bytes: 1024 * 1024,
            on_write: Some(written.clone()),
        };
        change(&mut settings);
        Self { address: server.address(database), pools: Pools::new(settings), written }
    }

    fn open(&self) -> Connection {
        Connection::open(&self.pools, &self.address, None).unwrap()
    }

    async fn execute(&self, sql: &str) -> u64 {
        self.open().execute(sql, &[]).await.unwrap()
    }

    /// The only value of a statement's only row.
    async fn value(&self, sql: &str) -> DbValue {
        value(&self.open(), sql, &[]).await.unwrap()
    }
}

/// The only value of a statement's only row.
async fn value(connection: &Connection, sql: &str, parameters: &[ParameterValue]) -> Result<DbValue, Box<Error>> {
    let rows = connection.query(sql, parameters).await?;
    let [row]: [Vec<DbValue>; 1] = rows.first.try_into().expect("one row");
    let [value]: [DbValue; 1] = row.try_into().expect("one column");
    Ok(value)
}

/// The SQLSTATE of a failure.
fn code(error: &Error) -> &str {
    match error {
        Error::QueryFailed(plaza::capability::postgres::QueryError::DbError(error)) => &error.code,
        other => panic!("not a database error: {other:?}"),
    }
}

/// Waits until `condition` holds; it must within a minute.
async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::task::yield_now().await;
    }
}
