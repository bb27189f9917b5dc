//! The body of an answer.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::notification::{Kind, Message, Notification};

/// What a customer is told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Notification, examples(json!({
    "id": 9, "userId": 7, "orderId": 17, "type": "order_paid", "subject": "Your order 17 is paid",
    "body": "39.98 EUR have arrived for your order 17. We pack it now.", "createdAt": "2026-11-24T09:30:00.123456Z"
})))]
pub struct NotificationBody {
    #[schema(minimum = 1)]
    id: i64,
    #[schema(minimum = 1)]
    user_id: i64,
    #[schema(minimum = 1)]
    order_id: i64,
    #[serde(rename = "type")]
    kind: Kind,
    /// The message in a line.
    subject: String,
    /// The message.
    body: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: DateTime<Utc>,
}

impl From<Notification> for NotificationBody {
    fn from(notification: Notification) -> Self {
        let Notification { id, created_at, message } = notification;
        let Message { user_id, order_id, kind, subject, body } = message;
        Self { id, user_id, order_id, kind, subject, body, created_at }
    }
}
