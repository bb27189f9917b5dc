//! Dead letters of the bus in this process: a table in the host's own database.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use serde_json::Value;
use sqlx::{PgPool, Row, postgres::PgRow, types::Json};

use super::{Body, DeadLetter, DeadLetters, DeadLettersError, Listed, Wanted};
use crate::events::Event;

/// Letters that are taken out of the table at once: each holds its event.
const CHUNK_ROWS: i64 = 50;

/// The table.
#[derive(Clone)]
pub(in crate::events) struct InTable {
    state: PgPool,
}

impl InTable {
    pub(in crate::events) fn new(state: PgPool) -> Self {
        Self { state }
    }

    /// Keeps an event with the reason. Rejecting it again after a crash changes nothing.
    pub(in crate::events) async fn keep(
        &self,
        event: &Event,
        component: &str,
        reason: &str,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO dead_letters (topic, component, event_id, event, reason) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (component, topic, event_id) DO NOTHING",
        )
        .bind(&event.topic)
        .bind(component)
        .bind(event.id)
        .bind(Json(event))
        .bind(storable(reason))
        .execute(&self.state)
        .await
        .map(drop)
    }

    /// Those behind `after` and not behind `last`, the oldest first.
    async fn chunk(&self, wanted: &Wanted, after: i64, last: i64) -> Result<Vec<(i64, DeadLetter)>, DeadLettersError> {
        let rows = sqlx::query(
            "SELECT * FROM dead_letters
             WHERE id > $1 AND id <= $2 AND ($3::text IS NULL OR component = $3) AND ($4::text IS NULL OR topic = $4)
             ORDER BY id LIMIT $5",
        )
        .bind(after)
        .bind(last)
        .bind(&wanted.component)
        .bind(&wanted.topic)
        .bind(CHUNK_ROWS)
        .fetch_all(&self.state)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("id")?, letter(row)?))).collect()
    }

    async fn last(&self) -> Result<i64, DeadLettersError> {
        Ok(sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM dead_letters").fetch_one(&self.state).await?)
    }
}

#[async_trait]
impl DeadLetters for InTable {
    async fn newest(&self, wanted: &Wanted, limit: usize) -> Result<Listed, DeadLettersError> {
        let rows = sqlx::query(
            "SELECT id, topic, component, event - 'value' || '{\"value\": \"\"}' AS event, reason, at, replays FROM dead_letters
             WHERE ($1::text IS NULL OR component = $1) AND ($2::text IS NULL OR topic = $2)
             ORDER BY id DESC LIMIT $3",
        )
        .bind(&wanted.component)
        .bind(&wanted.topic)
        .bind(i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX))
        .fetch_all(&self.state)
        .await?;
        let letters = rows.iter().take(limit).map(letter).collect::<Result<_, _>>()?;
        Ok(Listed { letters, more: rows.len() > limit })
    }

    async fn find(&self, name: &str) -> Result<Option<DeadLetter>, DeadLettersError> {
        let Ok(id) = name.parse::<i64>() else { return Ok(None) };
        let row = sqlx::query("SELECT * FROM dead_letters WHERE id = $1").bind(id).fetch_optional(&self.state).await?;
        Ok(row.as_ref().map(letter).transpose()?)
    }

    fn all(&self, wanted: Wanted) -> BoxStream<'static, Result<DeadLetter, DeadLettersError>> {
        let table = self.clone();
        let chunks = stream::try_unfold((0, None), move |(after, last)| {
            let (table, wanted) = (table.clone(), wanted.clone());
            async move {
                // What is rejected from now on is not meant.
                let last = match last {
                    Some(last) => last,
                    None => table.last().await?,
                };
                let chunk = table.chunk(&wanted, after, last).await?;
                let Some((after, _)) = chunk.last() else { return Ok::<_, DeadLettersError>(None) };
                let next = (*after, Some(last));
                Ok(Some((stream::iter(chunk).map(|(_, letter)| Ok(letter)), next)))
            }
        });
        chunks.try_flatten().boxed()
    }

    async fn taken(&self, letter: &DeadLetter) -> Result<(), DeadLettersError> {
        let Ok(id) = letter.name.parse::<i64>() else { return Ok(()) };
        sqlx::query("DELETE FROM dead_letters WHERE id = $1").bind(id).execute(&self.state).await?;
        Ok(())
    }

    async fn stays(&self, letter: &DeadLetter, reason: Option<&str>) -> Result<(), DeadLettersError> {
        let Ok(id) = letter.name.parse::<i64>() else { return Ok(()) };
        sqlx::query("UPDATE dead_letters SET replays = replays + 1, reason = coalesce($2, reason) WHERE id = $1")
            .bind(id)
            .bind(reason.map(storable))
            .execute(&self.state)
            .await?;
        Ok(())
    }
}

/// Text in Postgres holds no NUL, and a guest may say anything.
pub(in crate::events) fn storable(reason: &str) -> String {
    reason.replace('\0', "\u{fffd}")
}

fn letter(row: &PgRow) -> Result<DeadLetter, sqlx::Error> {
    let Json(kept): Json<Value> = row.try_get("event")?;
    // Another host's version may have written it.
    let event: Result<Event, String> = serde_json::from_value(kept).map_err(|error| error.to_string());
    let (key, value) = event.as_ref().map(|event| (event.key.clone(), event.value.clone())).unwrap_or_default();
    Ok(DeadLetter {
        name: row.try_get::<i64, _>("id")?.to_string(),
        component: row.try_get("component")?,
        topic: row.try_get("topic")?,
        key,
        event,
        reason: row.try_get("reason")?,
        at: row.try_get::<DateTime<Utc>, _>("at")?,
        replays: u32::try_from(row.try_get::<i32, _>("replays")?).unwrap_or_default(),
        headers: Vec::new(),
        body: Body::Text(value),
    })
}
