//! What waited for its subscribers on the bus in the process, before the events went through Kafka.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::{Bus, BusError, Event, in_process::InProcess};

/// A bus, and beside it the one before it, which brings on what waits there and gets nothing new.
pub(super) struct WithLeftOver {
    bus: Arc<dyn Bus>,
    before: InProcess,
}

impl WithLeftOver {
    pub(super) fn new(bus: Arc<dyn Bus>, before: InProcess) -> Self {
        Self { bus, before }
    }
}

impl Bus for WithLeftOver {
    fn publish<'a>(&'a self, event: &'a Event) -> Result<BoxFuture<'a, Result<(), BusError>>, BusError> {
        self.bus.publish(event)
    }

    fn give_up(&self) {
        self.bus.give_up();
    }

    fn take_over<'a>(&'a self, component: &str) -> BoxFuture<'a, ()> {
        self.before.take_over(component)
    }
}
