//! Events that a subscriber rejected for good.

use sqlx::{PgPool, types::Json};

use super::Event;

/// The table in the host's own database.
pub(super) struct DeadLetters {
    state: PgPool,
}

impl DeadLetters {
    pub(super) fn new(state: PgPool) -> Self {
        Self { state }
    }

    /// Keeps an event with the reason. Rejecting it again after a crash changes nothing.
    pub(super) async fn keep(&self, event: &Event, component: &str, reason: &str) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO dead_letters (topic, component, event_id, event, reason) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (component, topic, event_id) DO NOTHING",
        )
        .bind(&event.topic)
        .bind(component)
        .bind(event.id)
        .bind(Json(event))
        // Text in Postgres holds no NUL, and a guest may say anything.
        .bind(reason.replace('\0', "\u{fffd}"))
        .execute(&self.state)
        .await
        .map(drop)
    }
}
