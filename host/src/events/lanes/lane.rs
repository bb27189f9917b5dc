//! One lane: the events of a key on their way to the bus.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, stream::FuturesOrdered};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    backoff,
    events::{Bus, BusError, Event},
    limits::SMALL_EVENT_BYTES,
};

/// How long a key rests when the bus did not take its event.
const BUS_PAUSE: Duration = Duration::from_secs(1);

/// Topic and key.
pub(super) type Key = (String, String);

/// What a lane tells. There are never more than a lane's events and its end.
pub(super) enum Report {
    Taken(Uuid),
    Ended { key: Key, refusals: u32 },
}

/// Hands a key's events over in order and tells of each acknowledgement. An event that is not small is waited for before the next, and so is
/// each where the bus refused one of the key before, so that what is refused for good is not overtaken.
pub(super) async fn run(
    bus: Arc<dyn Bus>,
    key: Key,
    events: Vec<Event>,
    refusals: u32,
    report: mpsc::UnboundedSender<Report>,
    stopping: CancellationToken,
) {
    let (mut failed, mut refusals_before) = (None, refusals);
    let mut rest = events.as_slice();
    while let Some((together, behind)) = rest.split_at_checked(if refusals > 0 { 1 } else { small(rest).max(1) }) {
        failed = hand_over(&*bus, together, &report).await;
        if failed.is_some() {
            break;
        }
        (rest, refusals_before) = (behind, 0);
    }
    let refusals = match failed {
        Some((id, error)) => {
            let (refusals, pause) = told(&key, id, &error, refusals_before);
            // Nothing is handed over after that, so there is nothing to rest for.
            stopping.run_until_cancelled(tokio::time::sleep(pause)).await;
            refusals
        }
        None => 0,
    };
    drop(report.send(Report::Ended { key, refusals }));
}

/// How many events come before one that is not small.
fn small(events: &[Event]) -> usize {
    events.iter().take_while(|event| event.bytes() <= SMALL_EVENT_BYTES).count()
}

/// Tells that the bus did not take an event; returns how often it has refused it by now, and how long its key is to rest.
fn told((topic, key): &Key, id: Uuid, error: &BusError, refusals: u32) -> (u32, Duration) {
    match error {
        BusError::Stopping => return (0, Duration::ZERO),
        BusError::Full => {}
        BusError::Unavailable(_) => {
            tracing::debug!(event.id = %id, event.topic = topic, event.key = key, %error, "an event was not published and will be again");
        }
        BusError::TooLarge(_) | BusError::Refused(_) => {
            let refusals = refusals.saturating_add(1);
            // The first is told, then every tenth, which is every five minutes.
            if refusals % 10 == 1 {
                tracing::warn!(
                    event.id = %id,
                    event.topic = topic,
                    event.key = key,
                    refusals,
                    %error,
                    "an event cannot be published; it and those of its key behind it wait until the brokers take it (for its size, a topic's \
                     `max.message.bytes` decides)"
                );
            }
            // Each refusal makes the producer begin anew, which costs the others time.
            return (refusals, backoff::pause(refusals).max(BUS_PAUSE));
        }
    }
    // Whether it takes the event is not known, so what was known stays.
    (refusals, BUS_PAUSE)
}

/// Hands events over; returns the first that was not taken. Those behind it are given up.
async fn hand_over(
    bus: &dyn Bus,
    events: &[Event],
    report: &mpsc::UnboundedSender<Report>,
) -> Option<(Uuid, BusError)> {
    let mut acknowledgements = FuturesOrdered::new();
    let mut failed = None;
    for event in events {
        match bus.publish(event) {
            Ok(publishing) => acknowledgements.push_back(async { (event.id, publishing.await) }),
            Err(error) => {
                failed = Some((event.id, error));
                break;
            }
        }
    }
    while let Some((id, outcome)) = acknowledgements.next().await {
        match outcome {
            // The relay that listened is gone when this fails, and so is the need to tell it.
            Ok(()) => drop(report.send(Report::Taken(id))),
            Err(error) => return Some((id, error)),
        }
    }
    failed
}
