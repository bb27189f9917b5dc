//! Asking: at most a few times, for a limited time, and only who can be expected to answer.

use std::time::Duration;

use super::failure::Failure;
use super::ports::Peer;
use super::question::Question;

/// What is waited for before each attempt. A peer that is just being replaced answers the second or third.
pub const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(50), Duration::from_millis(250)];

/// The JSON of the result, or why there is none.
pub async fn ask(peer: &impl Peer, question: &Question) -> Result<Vec<u8>, Failure> {
    let end = peer.now() + question.manner.patience;
    let mut last = Failure::LeftAlone;
    for pause in PAUSES {
        if peer.now() + pause >= end {
            break;
        }
        if !pause.is_zero() {
            peer.pause(pause).await;
        }
        if !peer.breaker(|breaker| breaker.admits(peer.now())) {
            break;
        }
        let limit = question.manner.attempt.min(end.saturating_duration_since(peer.now()));
        let outcome = peer.ask_once(question, limit).await;
        peer.breaker(|breaker| match &outcome {
            Err(failure) if failure.is_ill_health() => breaker.failed(peer.now()),
            Ok(_) | Err(Failure::Refused(_) | Failure::Unreadable(_)) => breaker.succeeded(),
            // It was not even sent.
            Err(_) => {}
        });
        match outcome {
            Err(failure) if question.manner.allows_again(&failure) => last = failure,
            outcome => return outcome,
        }
    }
    Err(last)
}
