//! Notifications in Postgres.

use kit::sql::{Database, ParameterValue, Row, SqlError, all, and_equal, moment, text};

use crate::domain::notification::{Kind, Message, Notification};
use crate::domain::ports::{Filter, Notifications, StoreError};

/// The component's own database.
pub const DATABASE: Database = Database::at("notifications_database_url");

/// The ports of the domain, as they are in a component.
#[derive(Clone, Copy, Debug)]
pub struct Sql;

/// The event and its effect are one statement: neither is there without the other, and a second delivery finds the first.
const KEEP: &str = "
with taken as (
    insert into inbox (event_id) values ($1::text) on conflict do nothing returning event_id
)
insert into notifications (user_id, order_id, type, subject, body)
select $2::bigint, $3::bigint, $4::text, $5::text, $6::text from taken
on conflict (order_id, type) do nothing";

impl Notifications for Sql {
    async fn keep(&self, event_id: &str, message: &Message) -> Result<(), StoreError> {
        let params = vec![
            text(event_id),
            message.user_id.into(),
            message.order_id.into(),
            text(message.kind.word()),
            text(&message.subject),
            text(&message.body),
        ];
        DATABASE.execute(KEEP, params).await?;
        Ok(())
    }

    async fn list(&self, filter: &Filter) -> Result<Vec<Notification>, StoreError> {
        let mut params: Vec<ParameterValue> = vec![
            filter.after.map(|place| moment(place.created_at)).unwrap_or(ParameterValue::DbNull),
            filter.after.map(|place| place.id).into(),
            filter.limit.into(),
        ];
        let of_user = and_equal(&mut params, "user_id", "bigint", filter.user_id);
        let of_order = and_equal(&mut params, "order_id", "bigint", filter.order_id);
        // By itself: of a young table the server believes that it soon meets the order's among all of the customer's.
        let fence = if of_order.is_empty() { "" } else { "offset 0" };
        let statement = format!(
            "select id, user_id, order_id, type, subject, body, created_at at time zone 'UTC' as created_at
            from (select * from notifications where true{of_order} {fence}) as notifications
            where (notifications.created_at, id) < (coalesce($1::timestamp at time zone 'UTC', 'infinity'),
                coalesce($2::bigint, 0)) {of_user}
            order by notifications.created_at desc, id desc limit $3::bigint"
        );
        Ok(all(&DATABASE.rows(&statement, params).await?, notification)?)
    }
}

fn notification(row: &Row) -> Result<Notification, SqlError> {
    let word: String = row.get("type")?;
    let kind = Kind::parse(&word).ok_or_else(|| SqlError::Failed(format!("no notification is of type `{word}`")))?;
    let (user_id, order_id) = (row.get("user_id")?, row.get("order_id")?);
    let message = Message { user_id, order_id, kind, subject: row.get("subject")?, body: row.get("body")? };
    Ok(Notification { id: row.get("id")?, created_at: row.get("created_at")?, message })
}
