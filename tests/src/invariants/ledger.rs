use std::time::{Duration, Instant};

use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, postgres::PgRow};

use super::{
    rule::Rule,
    source::{SOURCES, Source},
};
use crate::databases::{Databases, Unreachable};

const TABLES: &str = include_str!("tables.sql");
const UNDER_WAY: &str = include_str!("under_way.sql");
const FIGURES: &str = include_str!("figures.sql");

/// How often a shop that is not at rest is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Copies of what the services' databases say, each of them at one moment, in the tables of `tables.sql`.
pub struct Ledger {
    session: PgConnection,
    sources: Vec<(Source, PgConnection)>,
    pulses: Vec<String>,
}

/// Whether the shop came to rest.
pub enum AtRest {
    /// It did, and this is what it says then.
    Yes(Ledger),
    /// It did not.
    No {
        /// What it says anyway.
        ledger: Ledger,
        /// What was still under way; nothing where new things kept happening.
        under_way: Vec<String>,
    },
}

impl Ledger {
    /// Copies the books of all services. What one says may be a few moments older than what the next one does.
    pub async fn read(databases: &Databases) -> Result<Self, Unreachable> {
        Self::read_from(databases, &SOURCES).await
    }

    /// Copies the books that the rules of any moment look into.
    pub async fn read_busy(databases: &Databases) -> Result<Self, Unreachable> {
        let [orders, products, ..] = SOURCES;
        Self::read_from(databases, &[orders, products]).await
    }

    async fn read_from(databases: &Databases, from: &[Source]) -> Result<Self, Unreachable> {
        let mut session = databases.open_session().await?;
        run(&mut session, TABLES).await?;
        let (mut sources, mut pulses) = (Vec::new(), Vec::new());
        for source in from {
            let mut connection = databases.open(source.database).await?;
            run(&mut connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            // The first query fixes the moment that the transaction sees.
            pulses.push(pulse(&mut connection, source.pulse).await?);
            sources.push((*source, connection));
        }
        for (source, connection) in &mut sources {
            for (table, rows) in source.copies {
                copy(connection, rows, &mut session, table).await?;
            }
            run(connection, "COMMIT").await?;
        }
        run(&mut session, "ANALYZE").await?;
        Ok(Self { session, sources, pulses })
    }

    /// Waits until nothing is under way and nothing happens while the books are copied, so that they all are of one moment.
    pub async fn at_rest(databases: &Databases, patience: Duration) -> Result<AtRest, Unreachable> {
        let deadline = Instant::now() + patience;
        loop {
            let mut ledger = Self::read(databases).await?;
            let under_way = ledger.texts(UNDER_WAY).await?;
            if under_way.is_empty() && ledger.is_still_true().await? {
                return Ok(AtRest::Yes(ledger));
            }
            if Instant::now() >= deadline {
                return Ok(AtRest::No { ledger, under_way });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What breaks a rule.
    pub async fn broken(&mut self, rule: &Rule) -> Result<Vec<String>, Unreachable> {
        self.texts(rule.sql).await
    }

    /// How much there is to look at, for each rule.
    pub async fn figures(&mut self) -> Result<Vec<(i32, String)>, Unreachable> {
        Ok(sqlx::query_as(FIGURES).fetch_all(&mut self.session).await?)
    }

    /// The one number that a query over the copies returns.
    pub async fn number(&mut self, query: &str) -> Result<i64, Unreachable> {
        let number = sqlx::query_scalar::<Postgres, i64>(AssertSqlSafe(query.to_owned()));
        Ok(number.fetch_one(&mut self.session).await?)
    }

    /// The rows that a query over the copies returns.
    pub async fn rows<T>(&mut self, query: &str) -> Result<Vec<T>, Unreachable>
    where
        T: for<'row> sqlx::FromRow<'row, PgRow> + Send + Unpin,
    {
        Ok(sqlx::query_as::<Postgres, T>(AssertSqlSafe(query.to_owned())).fetch_all(&mut self.session).await?)
    }

    /// Whether nothing has happened since the books were copied.
    async fn is_still_true(&mut self) -> Result<bool, Unreachable> {
        let mut pulses = Vec::new();
        for (source, connection) in &mut self.sources {
            pulses.push(pulse(connection, source.pulse).await?);
        }
        Ok(pulses == self.pulses)
    }

    async fn texts(&mut self, query: &'static str) -> Result<Vec<String>, Unreachable> {
        Ok(sqlx::query_scalar(query).fetch_all(&mut self.session).await?)
    }
}

async fn pulse(connection: &mut PgConnection, query: &'static str) -> Result<String, Unreachable> {
    Ok(sqlx::query_scalar(query).fetch_one(connection).await?)
}

async fn run(connection: &mut PgConnection, statements: &'static str) -> Result<(), Unreachable> {
    sqlx::raw_sql(statements).execute(connection).await?;
    Ok(())
}

/// Copies the rows of a query into a table of another session.
async fn copy(from: &mut PgConnection, rows: &str, to: &mut PgConnection, table: &str) -> Result<(), Unreachable> {
    let mut pieces = from.copy_out_raw(&format!("COPY ({rows}) TO STDOUT")).await?;
    let mut target = to.copy_in_raw(&format!("COPY {table} FROM STDIN")).await?;
    while let Some(piece) = pieces.try_next().await? {
        target.send(piece).await?;
    }
    target.finish().await?;
    Ok(())
}
