//! What a customer is told.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::event::{OrderEvent, Reason};

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NotificationType)]
pub enum Kind {
    /// It was placed.
    OrderPlaced,
    /// Its money is there.
    OrderPaid,
    /// It is on its way.
    OrderShipped,
    /// It has arrived.
    OrderDelivered,
    /// It was cancelled.
    OrderCancelled,
}

/// What a customer is told, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its number.
    pub id: i64,
    /// When it came up.
    pub created_at: DateTime<Utc>,
    /// What it says, and to whom.
    pub message: Message,
}

/// What is said to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The customer.
    pub user_id: i64,
    /// The order that it is about.
    pub order_id: i64,
    /// What happened to it.
    pub kind: Kind,
    /// The message in a line.
    pub subject: String,
    /// The message.
    pub body: String,
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::OrderPlaced, Self::OrderPaid, Self::OrderShipped, Self::OrderDelivered, Self::OrderCancelled];

    /// As it is kept and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::OrderPlaced => "order_placed",
            Self::OrderPaid => "order_paid",
            Self::OrderShipped => "order_shipped",
            Self::OrderDelivered => "order_delivered",
            Self::OrderCancelled => "order_cancelled",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl Message {
    /// What this event means to the order's customer.
    pub fn about(event: &OrderEvent) -> Self {
        let OrderEvent { kind, order_id, user_id, total, currency, reason } = event;
        let (subject, body) = match kind {
            Kind::OrderPlaced => (
                format!("We have your order {order_id}"),
                format!("Your order {order_id} is placed. It comes to {total} {currency} and waits for its payment."),
            ),
            Kind::OrderPaid => (
                format!("Your order {order_id} is paid"),
                format!("{total} {currency} have arrived for your order {order_id}. We pack it now."),
            ),
            Kind::OrderShipped => (
                format!("Your order {order_id} is on its way"),
                format!("Your order {order_id} has left our house. The order says who carries it."),
            ),
            Kind::OrderDelivered => (
                format!("Your order {order_id} has arrived"),
                format!("Your order {order_id} was handed over. We hope you enjoy it."),
            ),
            Kind::OrderCancelled => (
                format!("Your order {order_id} is cancelled"),
                format!("Your order {order_id} is cancelled{}. What you paid for it goes back to you.", why(*reason)),
            ),
        };
        Self { user_id: *user_id, order_id: *order_id, kind: *kind, subject, body }
    }
}

/// A cancellation's reason, to go on a sentence with.
fn why(reason: Option<Reason>) -> &'static str {
    match reason {
        Some(Reason::User) => ", as you wished",
        Some(Reason::Admin) => " by the shop",
        Some(Reason::Expired) => ", since its payment did not come in time",
        Some(Reason::PaymentFailed) => ", since its payment was declined too often",
        Some(Reason::OutOfStock) => ", since it is no longer in stock",
        Some(Reason::Other) | None => "",
    }
}

#[cfg(test)]
mod tests {
    use kit::Money;

    use super::*;

    fn event(kind: Kind, reason: Option<Reason>) -> OrderEvent {
        let total = Money::from_minor(3998);
        OrderEvent { kind, order_id: 17, user_id: 7, total, currency: "EUR".to_owned(), reason }
    }

    #[test]
    fn a_word_is_a_kind_and_the_other_way_round() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.word()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
        assert_eq!(Kind::parse("order_doubted"), None);
    }

    #[test]
    fn every_message_names_its_order_and_amounts_are_exact() {
        for kind in Kind::ALL {
            let message = Message::about(&event(kind, None));
            assert!(message.subject.contains("order 17") && message.body.contains("order 17"), "{message:?}");
            assert_eq!((message.user_id, message.order_id, message.kind), (7, 17, kind));
        }
        assert!(Message::about(&event(Kind::OrderPaid, None)).body.starts_with("39.98 EUR have arrived"));
    }

    #[test]
    fn a_cancellation_says_why_where_that_is_known() {
        let body = |reason| Message::about(&event(Kind::OrderCancelled, reason)).body;
        assert!(body(Some(Reason::Expired)).contains("did not come in time"));
        assert!(body(Some(Reason::Other)).starts_with("Your order 17 is cancelled. "));
        assert_eq!(body(None), body(Some(Reason::Other)));
    }
}
