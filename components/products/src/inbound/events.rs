//! Events of other services, and the clock.

use super::order_event::{Demand, read};
use crate::{
    bindings::{
        Component,
        exports::plaza::{
            events::subscriber::{Event, Failure, Guest as Subscriber},
            schedule::task::Guest as Task,
        },
    },
    domain::reservation::{self, ReservationError},
    outbound::sql::{self, Ledger},
};

/// Batches of lapsed reservations in one tick at most; the next tick goes on.
const BATCHES_MAX: usize = 10;

impl Subscriber for Component {
    async fn handle(event: Event) -> Result<(), Failure> {
        let demand = read(&event.type_, &event.value).map_err(Failure::Reject)?;
        let Demand::Undo(reservation) = demand else {
            return Ok(());
        };
        match reservation::undo(&Ledger::default(), &reservation, Some(&event.id)).await {
            Ok(()) => Ok(()),
            Err(error @ ReservationError::Invalid(_)) => Err(Failure::Reject(error.to_string())),
            Err(error) => Err(Failure::Retry(error.to_string())),
        }
    }
}

impl Task for Component {
    async fn tick() -> Result<(), String> {
        for _ in 0..BATCHES_MAX {
            let lapsed = sql::lapse().await.map_err(|error| error.to_string())?;
            if !lapsed.more {
                break;
            }
        }
        kit::inbox::forget(&sql::DATABASE).await.map_err(|error| error.to_string())?;
        Ok(())
    }
}
