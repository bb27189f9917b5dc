//! The table of the events that wait, in the host's own database.

use std::sync::Arc;

use futures::StreamExt;
use sqlx::{PgPool, Row, postgres::PgRow};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::events::{Event, carry::one_look};

/// Events of one look into the table.
const BATCH_ROWS: i64 = 256;

/// Events that are counted of those that wait; that there are more need not be known so exactly.
const COUNTED_ROWS: i64 = 10_000;

/// Events that are put there at once: a subscriber that goes away makes a thousand keys wait in the same moment, and others need the
/// host's connections too.
const PUT_AT_ONCE: usize = 4;

/// The table.
#[derive(Clone)]
pub(in crate::events) struct Table {
    state: PgPool,
    putting: Arc<Semaphore>,
}

/// For whom events wait, and which.
pub(super) struct Whose {
    /// Where they come from, as [`Event::source`] has it.
    pub source: String,
    /// Who is to take them.
    pub component: String,
    /// Where they were published.
    pub topic: String,
}

impl Table {
    pub(in crate::events) fn new(state: PgPool) -> Self {
        Self { state, putting: Arc::new(Semaphore::new(PUT_AT_ONCE)) }
    }

    /// Has an event wait behind all that do. One that waits already keeps its place.
    pub(super) async fn put(&self, whose: &Whose, event: &Event) -> Result<(), sqlx::Error> {
        // It is never closed.
        let _turn = self.putting.acquire().await;
        sqlx::query(
            "INSERT INTO waiting_events (source, component, topic, event_id, key, kind, time, traceparent, value)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (source, component, topic, event_id) DO NOTHING",
        )
        .bind(&whose.source)
        .bind(&whose.component)
        .bind(&whose.topic)
        .bind(event.id)
        .bind(&event.key)
        .bind(&event.kind)
        .bind(&event.time)
        .bind(&event.traceparent)
        .bind(&event.value)
        .execute(&self.state)
        .await
        .map(drop)
    }

    /// The keys of which something waits.
    pub(super) async fn keys(&self, whose: &Whose) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT DISTINCT key FROM waiting_events WHERE source = $1 AND component = $2 AND topic = $3",
        )
        .bind(&whose.source)
        .bind(&whose.component)
        .bind(&whose.topic)
        .fetch_all(&self.state)
        .await
    }

    /// For whom how many wait of what is from `source`: component, topic, and their number.
    pub(in crate::events) async fn all_of(&self, source: &str) -> Result<Vec<(String, String, i64)>, sqlx::Error> {
        sqlx::query_as(
            "SELECT component, topic, count(*) FROM waiting_events WHERE source = $1 GROUP BY component, topic",
        )
        .bind(source)
        .fetch_all(&self.state)
        .await
    }

    /// Those of the keys of which something waits.
    pub(super) async fn of_these(&self, whose: &Whose, keys: &[String]) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT DISTINCT key FROM waiting_events
             WHERE source = $1 AND component = $2 AND topic = $3 AND key = ANY ($4)",
        )
        .bind(&whose.source)
        .bind(&whose.component)
        .bind(&whose.topic)
        .bind(keys)
        .fetch_all(&self.state)
        .await
    }

    /// What waits longest, of other keys than these.
    pub(super) async fn longest(&self, whose: &Whose, but: &[String]) -> Result<Vec<Event>, sqlx::Error> {
        let select = sqlx::query(
            "SELECT event_id, topic, key, kind, source, time, traceparent, value FROM waiting_events
             WHERE source = $1 AND component = $2 AND topic = $3 AND key <> ALL ($4) ORDER BY id LIMIT $5",
        )
        .bind(&whose.source)
        .bind(&whose.component)
        .bind(&whose.topic)
        .bind(but)
        .bind(BATCH_ROWS);
        one_look(select.fetch(&self.state).map(|row| event(&row?))).await
    }

    /// These wait no more.
    pub(super) async fn remove(&self, whose: &Whose, ids: &[Uuid]) -> Result<(), sqlx::Error> {
        sqlx::query(
            "DELETE FROM waiting_events WHERE source = $1 AND component = $2 AND topic = $3 AND event_id = ANY ($4)",
        )
        .bind(&whose.source)
        .bind(&whose.component)
        .bind(&whose.topic)
        .bind(ids)
        .execute(&self.state)
        .await
        .map(drop)
    }

    /// How many wait, up to 10,000.
    pub(super) async fn count(&self, whose: &Whose) -> Result<u64, sqlx::Error> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (
                 SELECT FROM waiting_events WHERE source = $1 AND component = $2 AND topic = $3 LIMIT $4) AS waiting",
        )
        .bind(&whose.source)
        .bind(&whose.component)
        .bind(&whose.topic)
        .bind(COUNTED_ROWS)
        .fetch_one(&self.state)
        .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

fn event(row: &PgRow) -> Result<Event, sqlx::Error> {
    Ok(Event {
        id: row.try_get("event_id")?,
        topic: row.try_get("topic")?,
        key: row.try_get("key")?,
        kind: row.try_get("kind")?,
        source: row.try_get("source")?,
        time: row.try_get("time")?,
        traceparent: row.try_get("traceparent")?,
        value: row.try_get("value")?,
    })
}
