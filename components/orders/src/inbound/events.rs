//! Events of the payments, and the tick.

use crate::bindings::Component;
use crate::bindings::exports::plaza::events::subscriber::{Event, Failure, Guest as Subscriber};
use crate::bindings::exports::plaza::schedule::task::Guest as Task;
use crate::domain::event::PaymentEvent;
use crate::domain::expire::expire;
use crate::domain::ports::{Orders, StoreError};
use crate::domain::settle::{SettleError, settle};
use crate::outbound::World;

impl Subscriber for Component {
    async fn handle(event: Event) -> Result<(), Failure> {
        let parsed = PaymentEvent::parse(&event.value).map_err(|error| Failure::Reject(error.to_string()))?;
        let Some(payment) = parsed else { return Ok(()) };
        let world = World { traceparent: event.traceparent, ..World::default() };
        settle(&world, &event.id, &payment).await.map_err(failure)
    }
}

fn failure(error: SettleError) -> Failure {
    match error {
        SettleError::NoSuchOrder(_) => Failure::Reject(error.to_string()),
        SettleError::Unavailable(_) | SettleError::Contended(_) | SettleError::Store(_) => {
            Failure::Retry(error.to_string())
        }
    }
}

impl Task for Component {
    async fn tick() -> Result<(), String> {
        tick().await.map_err(|error| error.to_string())
    }
}

async fn tick() -> Result<(), StoreError> {
    let world = World::default();
    expire(&world).await?;
    world.forget_the_old().await
}
