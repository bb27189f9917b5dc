//! Events of the orders, and the tick.

use std::time::{Duration, Instant};

use crate::bindings::Component;
use crate::bindings::exports::plaza::events::subscriber::{Event, Failure, Guest as Subscriber};
use crate::bindings::exports::plaza::schedule::task::Guest as Task;
use crate::domain::clock::look_after;
use crate::domain::event::OrderEvent;
use crate::domain::order::follow;
use crate::domain::ports::{Chores, StoreError};
use crate::outbound::World;

/// How long a tick goes on asking the provider. The last question may take two more of its time-outs; all of it must
/// fit into the time that the host gives a tick, or the tick's end takes the instance with it.
const PROVIDER_TIME: Duration = Duration::from_secs(2);

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
    let until = Instant::now() + PROVIDER_TIME;
    look_after(&world, until).await?;
    world.forget_the_old().await
}
