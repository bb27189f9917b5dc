//! What became of dead letters on topics that were replayed: a table in the host's own database.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rdkafka::Message;
use sqlx::{PgPool, Row};

use super::reader::Span;
use crate::events::{DeadLetter, DeadLettersError, dead_letters::storable};

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub topic: String,
    pub partition: i32,
    pub position: i64,
}

/// The table.
#[derive(Clone)]
pub(in crate::events) struct Notes {
    state: PgPool,
}

/// What is noted of a letter.
struct Note {
    replays: i32,
    reason: Option<String>,
    is_taken: bool,
}

impl Place {
    pub(super) fn of(message: &impl Message) -> Self {
        Self { topic: message.topic().to_owned(), partition: message.partition(), position: message.offset() }
    }

    /// What the letter there is called: `<topic>:<partition>:<position>`.
    pub(super) fn name(&self) -> String {
        format!("{}:{}:{}", self.topic, self.partition, self.position)
    }

    /// The place of a letter that is called so.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (rest, position) = name.rsplit_once(':')?;
        let (topic, partition) = rest.rsplit_once(':')?;
        Some(Self { topic: topic.to_owned(), partition: partition.parse().ok()?, position: position.parse().ok()? })
    }
}

impl Notes {
    pub(in crate::events) fn new(state: PgPool) -> Self {
        Self { state }
    }

    /// These letters with what is noted of them, without those that were taken.
    pub(super) async fn applied_to(&self, letters: Vec<DeadLetter>) -> Result<Vec<DeadLetter>, DeadLettersError> {
        let places: Vec<Place> = letters.iter().filter_map(|letter| Place::parse(&letter.name)).collect();
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut notes = self.of(&places).await?;
        let noted = letters.into_iter().filter_map(|mut letter| {
            let Some(note) = notes.remove(&(Place::parse(&letter.name)?, letter.at)) else { return Some(letter) };
            letter.replays = u32::try_from(note.replays).unwrap_or_default();
            letter.reason = note.reason.unwrap_or(letter.reason);
            (!note.is_taken).then_some(letter)
        });
        Ok(noted.collect())
    }

    async fn of(&self, places: &[Place]) -> Result<HashMap<(Place, DateTime<Utc>), Note>, DeadLettersError> {
        let rows = sqlx::query(
            "SELECT topic, partition, position, at, replays, reason, taken_at IS NOT NULL AS is_taken
             FROM replayed_letters
             JOIN unnest($1::text[], $2::integer[], $3::bigint[]) AS asked (topic, partition, position)
               USING (topic, partition, position)",
        )
        .bind(places.iter().map(|place| place.topic.as_str()).collect::<Vec<_>>())
        .bind(places.iter().map(|place| place.partition).collect::<Vec<_>>())
        .bind(places.iter().map(|place| place.position).collect::<Vec<_>>())
        .fetch_all(&self.state)
        .await?;
        let notes = rows.iter().map(|row| {
            let place = Place {
                topic: row.try_get("topic")?,
                partition: row.try_get("partition")?,
                position: row.try_get("position")?,
            };
            let (replays, reason) = (row.try_get("replays")?, row.try_get("reason")?);
            Ok(((place, row.try_get("at")?), Note { replays, reason, is_taken: row.try_get("is_taken")? }))
        });
        notes.collect()
    }

    /// A letter was taken.
    pub(super) async fn taken(&self, letter: &DeadLetter) -> Result<(), DeadLettersError> {
        let statement =
            "INSERT INTO replayed_letters (topic, partition, position, at, taken_at) VALUES ($1, $2, $3, $4, now())
             ON CONFLICT (topic, partition, position, at) DO UPDATE SET taken_at = now()";
        let Some(place) = Place::parse(&letter.name) else { return Ok(()) };
        sqlx::query(statement)
            .bind(place.topic)
            .bind(place.partition)
            .bind(place.position)
            .bind(letter.at)
            .execute(&self.state)
            .await?;
        Ok(())
    }

    /// A letter was replayed and stays.
    pub(super) async fn stays(&self, letter: &DeadLetter, reason: Option<&str>) -> Result<(), DeadLettersError> {
        let statement = "INSERT INTO replayed_letters AS note (topic, partition, position, at, replays, reason)
             VALUES ($1, $2, $3, $4, 1, $5)
             ON CONFLICT (topic, partition, position, at) DO UPDATE
             SET replays = note.replays + 1, reason = coalesce(EXCLUDED.reason, note.reason)";
        let Some(place) = Place::parse(&letter.name) else { return Ok(()) };
        sqlx::query(statement)
            .bind(place.topic)
            .bind(place.partition)
            .bind(place.position)
            .bind(letter.at)
            .bind(reason.map(storable))
            .execute(&self.state)
            .await?;
        Ok(())
    }

    /// What the topics no longer hold need not be remembered.
    pub(super) async fn forget_before(&self, spans: &[Span]) -> Result<(), DeadLettersError> {
        let statement = "DELETE FROM replayed_letters AS note
             USING unnest($1::text[], $2::integer[], $3::bigint[]) AS held (topic, partition, low)
             WHERE note.topic = held.topic AND note.partition = held.partition AND note.position < held.low";
        sqlx::query(statement)
            .bind(spans.iter().map(|span| span.topic.as_str()).collect::<Vec<_>>())
            .bind(spans.iter().map(|span| span.partition).collect::<Vec<_>>())
            .bind(spans.iter().map(|span| span.low).collect::<Vec<_>>())
            .execute(&self.state)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_place_and_the_other_way_round() {
        let place = Place { topic: "desk-events.lamp.dlq".to_owned(), partition: 3, position: 1207 };
        assert_eq!(place.name(), "desk-events.lamp.dlq:3:1207");
        assert_eq!(Place::parse(&place.name()), Some(place));
        for name in ["17", "a:b:3", "a:3:b", ""] {
            assert_eq!(Place::parse(name), None, "{name}");
        }
    }
}
