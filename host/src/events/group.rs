//! A subscriber of one topic: how an event is delivered to it, whichever bus it comes from.

use std::{future::pending, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Event, Failure, Subscriber, Subscription,
    lines::{Lines, Place},
    tally::GroupTally,
};
use crate::{
    backoff,
    limits::{EVENTS_HANDLED, PAUSE_ASKED},
};

/// Something to be delivered, and where it goes when it is rejected.
pub(super) trait Letter: Sync {
    /// Where it was published.
    fn topic(&self) -> &str;

    /// What it says, or why that cannot be read.
    fn event(&self) -> Result<&Event, &str>;

    /// Keeps it with the reason, where an operator finds it. Doing so again after a crash does no harm.
    fn bury<'a>(&'a self, component: &'a str, reason: &'a str) -> BoxFuture<'a, Result<(), String>>;
}

/// Why a letter was not delivered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undelivered {
    /// Whoever delivers is to stop.
    Stopped,
    /// The subscriber has not taken it in the time that there was for it.
    NotInTime {
        /// It is not to be tried again before.
        not_before: Instant,
    },
}

/// One subscriber of one topic, with a line per key that it takes in order.
pub(super) struct Group {
    pub topic: String,
    subscriber: Arc<dyn Subscriber>,
    lines: Lines,
    handling: Arc<Semaphore>,
    tally: Arc<GroupTally>,
}

/// How much one component handles at once, whichever topics it comes from.
#[derive(Clone)]
pub(super) struct Handling(Arc<Semaphore>);

impl Handling {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(EVENTS_HANDLED)))
    }
}

impl Group {
    pub(super) fn new(subscription: Subscription, handling: &Handling, tally: Arc<GroupTally>) -> Self {
        let Subscription { topic, subscriber } = subscription;
        Self { topic, subscriber, lines: Lines::default(), handling: Arc::clone(&handling.0), tally }
    }

    /// The component.
    pub(super) fn component(&self) -> &str {
        self.subscriber.component()
    }

    /// What is counted of it.
    pub(super) fn tally(&self) -> &GroupTally {
        &self.tally
    }

    /// Takes a place behind all of the same key that were here before.
    pub(super) fn join(&self, key: &str) -> Place {
        self.lines.join(key)
    }

    /// Delivers until the subscriber has taken the letter or rejected it, after those before it in its line. A handler that
    /// was called is waited for; nothing else is once it is to stop.
    pub(super) async fn deliver(
        &self,
        mut place: Place,
        letter: &impl Letter,
        stop: &CancellationToken,
    ) -> Result<(), Undelivered> {
        place.at_head().await;
        self.deliver_by(None, letter, stop).await
    }

    /// The same for a letter that is at the head of its line, where whoever holds the place may have to go on by some time.
    /// A handler that was called is waited for all the same.
    pub(super) async fn deliver_by(
        &self,
        deadline: Option<Instant>,
        letter: &impl Letter,
        stop: &CancellationToken,
    ) -> Result<(), Undelivered> {
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(letter, attempt, deadline, stop).await? {
                Ok(()) => {
                    self.tally.took();
                    return Ok(());
                }
                Err(failure) => failure,
            };
            let (reason, asked) = match failure {
                Failure::Retry(reason) => (reason, Duration::ZERO),
                Failure::Later { reason, pause } => (reason, pause),
                Failure::Reject(reason) => match letter.bury(self.component(), &reason).await {
                    Ok(()) => {
                        self.told_rejected(letter, &reason);
                        return Ok(());
                    }
                    Err(error) => (format!("the dead letters cannot be written: {error}"), Duration::ZERO),
                },
            };
            self.told_failed(letter, attempt, &reason);
            let pause = backoff::pause(attempt).max(asked.min(PAUSE_ASKED));
            self.park(pause, deadline, stop).await?;
            attempt = attempt.saturating_add(1);
        }
    }

    /// Calls the handler once, when it is free and nothing is to stop.
    async fn attempt(
        &self,
        letter: &impl Letter,
        attempt: u32,
        deadline: Option<Instant>,
        stop: &CancellationToken,
    ) -> Result<Result<(), Failure>, Undelivered> {
        let too_late = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => pending().await,
            }
        };
        let permit = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(Undelivered::Stopped),
            permit = self.handling.acquire() => permit.map_err(|_| Undelivered::Stopped)?,
            () = too_late => return Err(Undelivered::NotInTime { not_before: Instant::now() }),
        };
        let event = match letter.event() {
            Ok(event) => event,
            Err(reason) => return Ok(Err(Failure::Reject(reason.to_owned()))),
        };
        let handled = AssertUnwindSafe(self.subscriber.handle(event, attempt)).catch_unwind().await;
        drop(permit);
        // A handler that panics is a fault of the host, not of the event.
        Ok(handled.unwrap_or_else(|_| Err(Failure::Retry("the handler panicked".to_owned()))))
    }

    fn told_rejected(&self, letter: &impl Letter, reason: &str) {
        self.tally.rejected();
        let (topic, component) = (letter.topic(), self.component());
        let (id, kind) = names(letter);
        tracing::warn!(
            event.id = id,
            event.kind = kind,
            event.topic = topic,
            component,
            reason,
            "an event was rejected and is kept in the dead letters"
        );
    }

    /// The first failure is told, then every tenth: a subscriber that is away may be so for long.
    fn told_failed(&self, letter: &impl Letter, attempt: u32, reason: &str) {
        if attempt % 10 != 1 {
            return;
        }
        let (topic, component) = (letter.topic(), self.component());
        let (id, kind) = names(letter);
        tracing::warn!(
            event.id = id,
            event.kind = kind,
            event.topic = topic,
            event.attempt = attempt,
            component,
            reason,
            "an event was not taken and will be delivered again"
        );
    }

    /// Waits before the next attempt, if there is time for one.
    async fn park(
        &self,
        pause: Duration,
        deadline: Option<Instant>,
        stop: &CancellationToken,
    ) -> Result<(), Undelivered> {
        let next = Instant::now() + pause;
        if deadline.is_some_and(|deadline| next > deadline) {
            return Err(Undelivered::NotInTime { not_before: next });
        }
        let _parked = self.tally.parks();
        tokio::select! {
            () = stop.cancelled() => Err(Undelivered::Stopped),
            () = sleep_until(next) => Ok(()),
        }
    }
}

/// What a letter is called in the log.
fn names(letter: &impl Letter) -> (String, &str) {
    match letter.event() {
        Ok(event) => (event.id.to_string(), &event.kind),
        Err(_) => ("unknown".to_owned(), "unknown"),
    }
}
