use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::topics::Topics;
use crate::events::tally::Tally;

/// How often the brokers are asked.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks again and again whether the brokers answer, and says so when that changes.
pub(super) async fn watch(topics: Arc<Topics>, tally: Arc<Tally>, stopping: CancellationToken) {
    loop {
        let asked = Arc::clone(&topics);
        let asking = tokio::task::spawn_blocking(move || asked.do_brokers_answer(PATIENCE));
        let answer = tokio::select! {
            () = stopping.cancelled() => return,
            answer = asking => answer.unwrap_or(false),
        };
        if tally.bus_is_away(!answer) {
            if answer {
                tracing::info!("Kafka answers again; what waits in the outboxes goes on");
            } else {
                tracing::warn!("Kafka does not answer; events wait in their outboxes until it does");
            }
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(ASK_EVERY) => {}
        }
    }
}
