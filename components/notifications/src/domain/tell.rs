//! An event comes in, and its customer is told, once.

use thiserror::Error;

use super::{
    event::OrderEvent,
    notification::Message,
    ports::{Notifications, StoreError},
};

/// Why an event was not taken in.
#[derive(Debug, Error)]
pub enum TellError {
    /// It is not what the orders tell.
    #[error("{0}")]
    Unreadable(#[from] serde_json::Error),
    /// The notification could not be kept.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Takes an event in by its id and value. What nobody is told of is passed over.
pub async fn tell(notifications: &impl Notifications, event_id: &str, value: &str) -> Result<(), TellError> {
    if let Some(event) = OrderEvent::parse(value)? {
        notifications.keep(event_id, &Message::about(&event)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeMap, future::Future, pin::pin, task};

    use super::*;
    use crate::domain::{notification::Notification, ports::Filter};

    /// Keeps what it is told, by event; or is away.
    #[derive(Default)]
    struct Fake {
        kept: RefCell<BTreeMap<String, Message>>,
        away: bool,
    }

    impl Notifications for Fake {
        async fn keep(&self, event_id: &str, message: &Message) -> Result<(), StoreError> {
            if self.away {
                return Err(StoreError::temporary("away"));
            }
            self.kept.borrow_mut().entry(event_id.to_owned()).or_insert_with(|| message.clone());
            Ok(())
        }

        async fn list(&self, _filter: &Filter) -> Result<Vec<Notification>, StoreError> {
            Ok(Vec::new())
        }
    }

    fn told(fake: &Fake, event_id: &str, value: &str) -> Result<(), TellError> {
        let mut context = task::Context::from_waker(task::Waker::noop());
        match pin!(tell(fake, event_id, value)).poll(&mut context) {
            task::Poll::Ready(outcome) => outcome,
            task::Poll::Pending => panic!("the fake never waits"),
        }
    }

    const PAID: &str = r#"{"type":"ORDER_PAID","data":{"orderId":17,"userId":7,"totalAmount":39.98,"currency":"EUR"}}"#;

    #[test]
    fn an_event_becomes_a_message_however_often_it_comes() {
        let fake = Fake::default();
        told(&fake, "one", PAID).unwrap();
        told(&fake, "one", PAID).unwrap();
        let subjects: Vec<String> = fake.kept.borrow().values().map(|message| message.subject.clone()).collect();
        assert_eq!(subjects, ["Your order 17 is paid"]);
    }

    #[test]
    fn what_nobody_is_told_of_leaves_no_trace() {
        let fake = Fake::default();
        told(&fake, "one", r#"{"type":"ORDER_DOUBTED","data":{}}"#).unwrap();
        assert!(fake.kept.borrow().is_empty());
    }

    #[test]
    fn an_event_that_cannot_be_read_is_not_one_that_could_not_be_kept() {
        let fake = Fake { away: true, ..Fake::default() };
        assert!(matches!(told(&fake, "one", "{}"), Err(TellError::Unreadable(_))));
        assert!(matches!(told(&fake, "one", PAID), Err(TellError::Store(_))));
    }
}
