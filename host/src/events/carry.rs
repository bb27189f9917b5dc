//! From a table to a bus: what the relay of an outbox and the queue of what waits do alike.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{Stream, TryStreamExt};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Bus, Event,
    lanes::Lanes,
    looks::{Full, Looks},
};
use crate::{backoff, limits::LOOK_BYTES};

/// The longest pause while the database does not answer: what waits in it is to go on soon after it is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long what is told is collected before the next look, so that a busy component does not make us busier still.
const COLLECT: Duration = Duration::from_millis(3);

/// A table that events are carried from.
pub(super) trait Upstream: Send + Sync {
    /// Sees to what must be known before one looks.
    fn prepare(&mut self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Notes that those events were taken.
    fn mark(&mut self, taken: &[Uuid]) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Hears of keys that are in hand no more. What was taken of them is marked.
    fn let_go(&mut self, keys: Vec<String>) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Whether there may be anything to find.
    fn may_have_some(&self) -> bool;

    /// What comes next of keys that are not in hand, but for topics that have enough.
    fn next(
        &mut self,
        lanes: &mut Lanes,
        full_topics: &[String],
    ) -> impl Future<Output = Result<Vec<Event>, sqlx::Error>> + Send;

    /// How much a look passes over that found nothing, where the lanes alone would say `full`.
    fn passes_over(&self, lanes: &Lanes, full: Full) -> Full;

    /// Does what is done now and then beside, for which there is more time where there was no `progress`.
    fn beside(&mut self, lanes: &Lanes, progress: bool) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Waits until something new is told of.
    fn news(&self) -> impl Future<Output = ()> + Send;

    /// How soon one looks again unasked.
    fn look_again_after(&self) -> Duration;

    /// Tells an operator.
    fn tell(&self, what: Told<'_>);
}

/// What an operator is told, once each time.
pub(super) enum Told<'a> {
    /// The table does not answer; one tries on.
    Silent(&'a sqlx::Error),
    /// It does again.
    AnswersAgain,
    /// One is stopping, and what was taken cannot be marked. One tries on as long as there is time, and then it will come again.
    NotMarked(&'a sqlx::Error),
}

/// The events of one look: as many as come, up to [`LOOK_BYTES`] and one more.
pub(super) async fn one_look(
    mut events: impl Stream<Item = Result<Event, sqlx::Error>> + Unpin,
) -> Result<Vec<Event>, sqlx::Error> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    while bytes < LOOK_BYTES
        && let Some(event) = events.try_next().await?
    {
        bytes += event.bytes();
        found.push(event);
    }
    Ok(found)
}

/// Looks, hands over and marks until it is stopped: nothing else ends it, for then nobody would do it any more.
pub(super) async fn carry(mut upstream: impl Upstream, bus: Arc<dyn Bus>, stopping: &CancellationToken) {
    let (mut lanes, mut looks) = (Lanes::new(bus, stopping.clone()), Looks::new());
    let mut failures = 0;
    while !stopping.is_cancelled() {
        match step(&mut upstream, &mut lanes, &mut looks).await {
            Ok(progress) => {
                if std::mem::take(&mut failures) > 0 {
                    upstream.tell(Told::AnswersAgain);
                }
                if !progress {
                    rest(&upstream, &mut lanes, stopping).await;
                }
            }
            Err(error) => {
                failures += 1;
                if failures == 1 {
                    upstream.tell(Told::Silent(&error));
                }
                tokio::select! {
                    () = stopping.cancelled() => {}
                    () = tokio::time::sleep(backoff::pause(failures).min(LONGEST_PAUSE)) => {}
                }
            }
        }
    }
    finish(upstream, lanes).await;
}

/// Marks what was taken and hands over what is new; says whether there was any of it.
async fn step(upstream: &mut impl Upstream, lanes: &mut Lanes, looks: &mut Looks) -> Result<bool, sqlx::Error> {
    upstream.prepare().await?;
    let marked = mark(upstream, lanes).await?;
    if marked {
        looks.are_worthwhile();
    }
    let found = upstream.may_have_some() && looks.are_due() && look(upstream, lanes, looks).await?;
    let progress = found || marked;
    upstream.beside(lanes, progress).await?;
    Ok(progress)
}

/// Hands over what is new; says whether there was any.
async fn look(upstream: &mut impl Upstream, lanes: &mut Lanes, looks: &mut Looks) -> Result<bool, sqlx::Error> {
    let (began, full_topics) = (Instant::now(), lanes.full_topics());
    let events = upstream.next(lanes, &full_topics).await?;
    let found = lanes.open(events);
    let full = upstream.passes_over(lanes, lanes.are_full(&full_topics));
    looks.made(began.elapsed(), found, full);
    Ok(found)
}

/// Marks what was taken; says whether a key has become free by it.
async fn mark(upstream: &mut impl Upstream, lanes: &mut Lanes) -> Result<bool, sqlx::Error> {
    let taken = lanes.taken();
    if !taken.is_empty() {
        upstream.mark(taken).await?;
    }
    let news = lanes.has_news();
    let ended = lanes.marked();
    if !ended.is_empty() {
        upstream.let_go(ended).await?;
    }
    Ok(news)
}

/// Waits for something to do.
async fn rest(upstream: &impl Upstream, lanes: &mut Lanes, stopping: &CancellationToken) {
    tokio::select! {
        () = stopping.cancelled() => return,
        () = tokio::time::sleep(upstream.look_again_after()) => return,
        () = upstream.news() => {}
        () = lanes.told() => {}
    }
    tokio::time::sleep(COLLECT).await;
}

/// Lets handlers under way finish, and marks at once what each took: the time for this is bounded.
async fn finish(mut upstream: impl Upstream, mut lanes: Lanes) {
    let mut failures = 0;
    loop {
        let taken = lanes.taken();
        let marking = if taken.is_empty() { Ok(()) } else { upstream.mark(taken).await };
        if let Err(error) = marking {
            // The lanes go on meanwhile, and tell of what they hand over.
            failures += 1;
            if failures == 1 {
                upstream.tell(Told::NotMarked(&error));
            }
            tokio::time::sleep(backoff::pause(failures).min(LONGEST_PAUSE)).await;
            continue;
        }
        // Whoever carries on looks anew, so that nobody has to hear which keys are free.
        lanes.marked();
        if !lanes.are_open() {
            return;
        }
        lanes.told().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::{FutureExt, future::BoxFuture, stream};

    use super::*;
    use crate::events::BusError;

    fn event(bytes: usize) -> Event {
        Event {
            id: Uuid::nil(),
            topic: "topic".to_owned(),
            key: String::new(),
            kind: "KIND".to_owned(),
            source: "/source".to_owned(),
            time: "2026-01-01T00:00:00Z".to_owned(),
            traceparent: None,
            value: "x".repeat(bytes),
        }
    }

    /// Takes everything.
    struct Eager;

    impl Bus for Eager {
        fn publish<'a>(&'a self, _: &'a Event) -> Result<BoxFuture<'a, Result<(), BusError>>, BusError> {
            Ok(async { Ok(()) }.boxed())
        }
    }

    /// A table that fails at first when something is to be marked, and always when keys are let go.
    #[derive(Default)]
    struct Shaky {
        failed: bool,
        marked: Arc<Mutex<Vec<Uuid>>>,
    }

    impl Upstream for Shaky {
        async fn prepare(&mut self) -> Result<(), sqlx::Error> {
            Ok(())
        }

        async fn mark(&mut self, taken: &[Uuid]) -> Result<(), sqlx::Error> {
            if !std::mem::replace(&mut self.failed, true) {
                return Err(sqlx::Error::PoolTimedOut);
            }
            self.marked.lock().unwrap().extend(taken);
            Ok(())
        }

        async fn let_go(&mut self, _: Vec<String>) -> Result<(), sqlx::Error> {
            Err(sqlx::Error::PoolTimedOut)
        }

        fn may_have_some(&self) -> bool {
            false
        }

        async fn next(&mut self, _: &mut Lanes, _: &[String]) -> Result<Vec<Event>, sqlx::Error> {
            Ok(Vec::new())
        }

        fn passes_over(&self, _: &Lanes, full: Full) -> Full {
            full
        }

        async fn beside(&mut self, _: &Lanes, _: bool) -> Result<(), sqlx::Error> {
            Ok(())
        }

        async fn news(&self) {}

        fn look_again_after(&self) -> Duration {
            Duration::ZERO
        }

        fn tell(&self, _: Told<'_>) {}
    }

    #[tokio::test]
    async fn what_was_taken_while_one_stops_is_marked_though_the_database_fails_meanwhile() {
        let upstream = Shaky::default();
        let marked = upstream.marked.clone();
        let mut lanes = Lanes::new(Arc::new(Eager), CancellationToken::new());
        let other = Event { id: Uuid::from_u128(1), key: "other".to_owned(), ..event(1) };
        lanes.open(vec![event(1), other]);
        finish(upstream, lanes).await;
        let mut marked = marked.lock().unwrap().clone();
        marked.sort();
        assert_eq!(marked, [Uuid::nil(), Uuid::from_u128(1)]);
    }

    #[tokio::test]
    async fn a_look_brings_no_more_than_so_many_bytes_and_one_event() {
        let mut rows = stream::iter([LOOK_BYTES - 1, 1, 1, LOOK_BYTES * 2, 1].map(|bytes| Ok(event(bytes))));
        assert_eq!(one_look(&mut rows).await.unwrap().len(), 2);
        assert_eq!(
            one_look(&mut rows).await.unwrap().len(),
            2,
            "the second is larger than a look, and comes all the same"
        );
        assert_eq!(one_look(&mut rows).await.unwrap().len(), 1);
    }
}
