//! A row that a test keeps to itself, so that everybody who wants to change it has to wait in line.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{databases::Databases, until};

/// Whoever waits for this session, or for somebody who does.
const WAITING: &str = "
    WITH RECURSIVE waiting (pid) AS (
        SELECT pid FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))
        UNION
        SELECT activity.pid FROM pg_stat_activity activity, waiting
        WHERE waiting.pid = ANY (pg_blocking_pids(activity.pid))
    )
    SELECT pid FROM waiting";

/// A transaction that is left open. PostgreSQL lets those who wait for its row pass in the order in which they came.
pub struct Hold {
    holder: PgConnection,
    watcher: PgConnection,
    process: i32,
}

impl Hold {
    /// Runs a statement that locks what is to be held, `SELECT … FOR UPDATE` for instance, and keeps the lock.
    pub async fn by(databases: &Databases, database: &str, statement: &str) -> Self {
        let (mut holder, watcher) = (databases.connect(database).await, databases.connect(database).await);
        let process = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut holder).await.expect("a number");
        let locking = sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {statement}"))).execute(&mut holder).await;
        locking.unwrap_or_else(|error| panic!("{database}: {error} in {statement}"));
        Self { holder, watcher, process }
    }

    /// Keeps a row of a table, by its id.
    pub async fn of(databases: &Databases, database: &str, table: &str, id: i64) -> Self {
        Self::by(databases, database, &format!("SELECT FROM {table} WHERE id = {id} FOR UPDATE")).await
    }

    /// Waits until so many wait in line.
    pub async fn until_waiting(&mut self, count: usize) {
        until(&format!("{count} wait in line"), async || (self.waiting().await.len() >= count).then_some(())).await;
    }

    /// Ends the sessions of all who wait in line: nothing of what they wait to do is done.
    pub async fn turn_away(&mut self) {
        for waiting in self.waiting().await {
            let ended = sqlx::query("SELECT pg_terminate_backend($1)").bind(waiting).execute(&mut self.watcher).await;
            ended.expect("the owner may end sessions");
        }
        until("nobody waits in line", async || self.waiting().await.is_empty().then_some(())).await;
    }

    /// The sessions that wait in line.
    async fn waiting(&mut self) -> Vec<i32> {
        sqlx::query_scalar(WAITING).bind(self.process).fetch_all(&mut self.watcher).await.expect("numbers")
    }

    /// Lets the line pass; nothing that this transaction did stays.
    pub async fn let_go(mut self) {
        sqlx::query("ROLLBACK").execute(&mut self.holder).await.expect("a transaction can always be given up");
        for connection in [self.holder, self.watcher] {
            let _ = tokio::time::timeout(Duration::from_secs(1), connection.close()).await;
        }
    }
}
