//! The outbox table of a component.

use std::{str::FromStr, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::StreamExt;
use sqlx::{
    AssertSqlSafe, ConnectOptions, PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{Event, EventsError, carry::one_look};
use crate::limits::OUTBOX_CONNECTIONS;

/// Rows of one look into the table.
pub(super) const BATCH_ROWS: usize = 256;

/// Rows that are counted of those that wait; that there are more need not be known so exactly.
const COUNTED_ROWS: usize = 10_000;

/// Rows of one step of the clean-up.
const CLEANUP_ROWS: i64 = 500;

/// How long a published row is kept, in days.
const KEEP_DAYS: i32 = 7;

/// How long a connection is waited for.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Columns that the relay reads or writes.
const COLUMNS: [&str; 9] = ["id", "seq", "topic", "key", "type", "data", "traceparent", "created_at", "published_at"];

/// Whose outbox, and where.
#[derive(Clone)]
pub struct Outbox {
    /// The component.
    pub component: String,
    /// Its database.
    pub url: String,
    /// The table, with or without a schema.
    pub table: String,
    /// Told after the component has written something; rows are found without it too, a little later.
    pub wake: Arc<Notify>,
}

/// The table as the relay uses it.
pub(super) struct Table {
    pool: PgPool,
    source: String,
    select: String,
    count: String,
    mark: String,
    cleanup: String,
}

impl Table {
    /// Connects and looks whether the table is what it must be.
    pub(super) async fn open(outbox: &Outbox) -> Result<Self, EventsError> {
        let fault = |fault: String| EventsError::Table {
            component: outbox.component.clone(),
            table: outbox.table.clone(),
            fault,
        };
        let name = quoted(&outbox.table).ok_or_else(|| fault("has a name that is not one".to_owned()))?;
        let options = options(&outbox.url).map_err(|()| fault("is at an address that cannot be read".to_owned()))?;
        let pool = PgPoolOptions::new()
            .max_connections(OUTBOX_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options);
        let table = Self::new(pool, &outbox.component, &name);
        let missing =
            table.missing_columns(&name).await.map_err(|error| fault(format!("cannot be looked at ({error})")))?;
        match missing {
            None => Err(fault("does not exist".to_owned())),
            Some(missing) if missing.is_empty() => Ok(table),
            Some(missing) => Err(fault(format!("lacks {}", missing.join(", ")))),
        }
    }

    fn new(pool: PgPool, component: &str, name: &str) -> Self {
        // What the migrations left nullable is read as empty: one odd row must not hold up the others.
        let select = format!(
            "SELECT id, coalesce(topic, ''), coalesce(key, id::text), coalesce(type, ''), coalesce(data::text, 'null'),
                    traceparent, coalesce(created_at, now())
             FROM {name}
             WHERE published_at IS NULL
               AND coalesce(topic, '') <> ALL ($1)
               AND (coalesce(topic, ''), coalesce(key, id::text)) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))
             ORDER BY seq LIMIT {BATCH_ROWS}"
        );
        let count = format!(
            "SELECT count(*) FROM (SELECT FROM {name} WHERE published_at IS NULL LIMIT {COUNTED_ROWS}) AS waiting"
        );
        let mark = format!("UPDATE {name} SET published_at = now() WHERE id = ANY ($1)");
        let cleanup = format!(
            "DELETE FROM {name} WHERE id IN (
                 SELECT id FROM {name} WHERE published_at < now() - make_interval(days => {KEEP_DAYS}) ORDER BY seq LIMIT {CLEANUP_ROWS})"
        );
        Self { pool, source: Event::source_of(component), select, count, mark, cleanup }
    }

    /// Rows to publish, oldest first. Each look begins at the oldest unpublished row, so one that was committed late is found.
    pub(super) async fn unpublished(
        &self,
        full_topics: &[String],
        topics: &[String],
        keys: &[String],
    ) -> Result<Vec<Event>, sqlx::Error> {
        let select = sqlx::query(AssertSqlSafe(self.select.as_str())).bind(full_topics).bind(topics).bind(keys);
        one_look(select.fetch(&self.pool).map(|row| self.event(&row?))).await
    }

    fn event(&self, row: &PgRow) -> Result<Event, sqlx::Error> {
        let kind: String = row.try_get(3)?;
        let data: &str = row.try_get(4)?;
        Ok(Event {
            id: row.try_get(0)?,
            topic: row.try_get(1)?,
            key: row.try_get(2)?,
            value: Event::value_of(&kind, data),
            kind,
            source: self.source.clone(),
            time: Event::time_of(row.try_get::<DateTime<Utc>, _>(6)?),
            traceparent: row.try_get(5)?,
        })
    }

    /// Rows that are not published, up to 10,000.
    pub(super) async fn waiting(&self) -> Result<u64, sqlx::Error> {
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(self.count.as_str())).fetch_one(&self.pool).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Marks rows as published.
    pub(super) async fn mark(&self, ids: &[Uuid]) -> Result<(), sqlx::Error> {
        sqlx::query(AssertSqlSafe(self.mark.as_str())).bind(ids).execute(&self.pool).await.map(drop)
    }

    /// Deletes some of the rows that were published long ago; says whether there may be more.
    pub(super) async fn clean_up(&self) -> Result<bool, sqlx::Error> {
        let deleted = sqlx::query(AssertSqlSafe(self.cleanup.as_str())).execute(&self.pool).await?.rows_affected();
        Ok(i64::try_from(deleted).unwrap_or(i64::MAX) >= CLEANUP_ROWS)
    }

    /// What the table lacks; `None` when there is no such table.
    async fn missing_columns(&self, name: &str) -> Result<Option<Vec<String>>, sqlx::Error> {
        let columns: Option<Vec<String>> = sqlx::query_scalar(
            "SELECT (SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped)",
        )
        .bind(name)
        .fetch_one(&self.pool)
        .await?;
        let lacks = |columns: Vec<String>| {
            COLUMNS
                .iter()
                .filter(|column| !columns.iter().any(|found| found == *column))
                .map(|column| (*column).to_owned())
                .collect()
        };
        Ok(columns.map(lacks))
    }
}

/// The address, with statements kept out of the log: they hold other people's data.
fn options(url: &str) -> Result<PgConnectOptions, ()> {
    PgConnectOptions::from_str(url)
        .map(|options| options.application_name("plaza").disable_statement_logging())
        .map_err(drop)
}

/// `schema.table` with each part in quotes; `None` for what is no name.
fn quoted(table: &str) -> Option<String> {
    let part = |name: &str| {
        let well_made = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        well_made.then(|| format!("\"{name}\""))
    };
    let parts: Option<Vec<String>> = table.split('.').map(part).collect();
    parts.filter(|parts| parts.len() <= 2).map(|parts| parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_name_is_quoted_and_nothing_else_gets_through() {
        assert_eq!(quoted("outbox").unwrap(), "\"outbox\"");
        assert_eq!(quoted("desk.outbox").unwrap(), "\"desk\".\"outbox\"");
        for name in ["", "a.b.c", "a\"b", "a; DROP TABLE b", "."] {
            assert_eq!(quoted(name), None, "{name}");
        }
    }
}
