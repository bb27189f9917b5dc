//! Events of the orders, and the tick.

use crate::bindings::Component;
use crate::bindings::exports::plaza::events::subscriber::{Event, Failure, Guest as Subscriber};
use crate::bindings::exports::plaza::schedule::task::Guest as Task;
use crate::domain::clock::{make_refunds, settle_attempts};
use crate::domain::event::OrderEvent;
use crate::domain::order::follow;
use crate::domain::ports::{Chores, StoreError};
use crate::outbound::World;

impl Subscriber for Component {
    async fn handle(event: Event) -> Result<(), Failure> {
        let parsed = OrderEvent::parse(&event.value).map_err(|error| Failure::Reject(error.to_string()))?;
        let Some(order) = parsed else { return Ok(()) };
        let followed = follow(&World::default(), &event.id, &order, event.traceparent.as_deref()).await;
        followed.map_err(|error| Failure::Retry(error.to_string()))
    }
}

impl Task for Component {
    async fn tick() -> Result<(), String> {
        tick().await.map_err(|error| error.to_string())
    }
}

async fn tick() -> Result<(), StoreError> {
    let world = World::default();
    settle_attempts(&world).await?;
    make_refunds(&world).await?;
    world.forget_the_old().await
}
