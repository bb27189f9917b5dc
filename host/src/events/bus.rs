use futures::future::BoxFuture;

use super::Event;

/// What carries events from outboxes to subscribers.
pub trait Bus: Send + Sync {
    /// Hands an event over. The future ends when the bus answers for it: from then on the event is not lost.
    ///
    /// An event takes its place in the order of its key when this is *called*, so the next may be handed over before the
    /// last is acknowledged. Dropping the future gives the place up.
    ///
    /// The future's error means that the event was not taken and is to be published again.
    fn publish<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<(), BusError>>;
}

/// Why a bus did not take an event.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The host is stopping.
    #[error("the host is stopping")]
    Stopping,
    /// The bus is away or refuses.
    #[error("the bus does not take events: {0}")]
    Unavailable(String),
}
