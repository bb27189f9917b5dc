//! Events of the orders, and the tick.

use crate::bindings::Component;
use crate::bindings::exports::plaza::events::subscriber::{Event, Failure, Guest as Subscriber};
use crate::bindings::exports::plaza::schedule::task::Guest as Task;
use crate::domain::tell::{TellError, tell};
use crate::outbound::{DATABASE, Sql};

impl Subscriber for Component {
    async fn handle(event: Event) -> Result<(), Failure> {
        tell(&Sql, &event.id, &event.value).await.map_err(|error| match error {
            TellError::Unreadable(_) => Failure::Reject(error.to_string()),
            TellError::Store(_) => Failure::Retry(error.to_string()),
        })
    }
}

impl Task for Component {
    async fn tick() -> Result<(), String> {
        kit::inbox::forget(&DATABASE).await.map(drop).map_err(|error| error.to_string())
    }
}
