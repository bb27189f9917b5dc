use futures::{FutureExt, future::BoxFuture};

use super::Event;

/// What carries events from outboxes to subscribers.
pub trait Bus: Send + Sync {
    /// Hands an event over. The future ends when the bus answers for it: from then on the event is not lost.
    ///
    /// An event takes its place in the order of its key when this is *called*, so the next may be handed over before the
    /// last is acknowledged, where nothing about the event could make the bus refuse it. Dropping the future gives the place up where the bus
    /// still can.
    ///
    /// The future's error means that the event was not taken and is to be published again.
    ///
    /// # Errors
    /// When the bus does not take the event up at all. Those behind it must not be handed over then: they would overtake it.
    fn publish<'a>(&'a self, event: &'a Event) -> Result<BoxFuture<'a, Result<(), BusError>>, BusError>;

    /// Another host may publish what this one has handed over and not been answered for: it is given up, as far as it can be.
    fn give_up(&self) {}

    /// From this call on the events of a component are published by this host, and by no other. The future is what else there is to do
    /// for them: it goes on beside the publishing until the host stops, lets then finish what is under way, and is dropped once another
    /// host may publish them.
    fn take_over<'a>(&'a self, _component: &str) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
}

/// Why a bus did not take an event.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The host is stopping.
    #[error("the host is stopping")]
    Stopping,
    /// The bus has as much in hand as it may; what it has not answered for comes first.
    #[error("the bus has enough to do")]
    Full,
    /// The bus is not there.
    #[error("the bus does not answer: {0}")]
    Unavailable(String),
    /// The bus takes nothing so large.
    #[error("the bus takes nothing so large: {0}")]
    TooLarge(String),
    /// The bus is there and does not want this event.
    #[error("the bus refuses the event: {0}")]
    Refused(String),
}
