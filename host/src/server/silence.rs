//! How long one has waited for more of a body.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// A clock that runs only while a body is asked for more and has none.
pub struct Silence {
    patience: Duration,
    since: Option<Instant>,
    /// Set once for many waits: it is looked at whether it still stands for this one when it is over.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Silence {
    /// A silence that may last so long.
    pub fn of(patience: Duration) -> Self {
        Self { patience, since: None, sleep: None }
    }

    /// Something has come.
    pub fn end(&mut self) {
        self.since = None;
    }

    /// Nothing has come yet: ready once that has lasted too long, or at the latest at `until`.
    pub fn poll_too_long(&mut self, context: &mut Context<'_>, until: Option<Instant>) -> Poll<()> {
        let over = *self.since.get_or_insert_with(Instant::now) + self.patience;
        let over = until.map_or(over, |until| until.min(over));
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(over)));
        loop {
            if sleep.deadline() > over {
                sleep.as_mut().reset(over);
            }
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if sleep.deadline() >= over {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(over);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn only_an_unbroken_silence_is_too_long() {
        const PATIENCE: Duration = Duration::from_millis(1500);
        let mut silence = Silence::of(PATIENCE);
        let began = Instant::now();
        let too_long = async |silence: &mut Silence, most: Duration| {
            tokio::time::timeout(most, poll_fn(|context| silence.poll_too_long(context, None))).await.is_ok()
        };
        for _ in 0..6 {
            assert!(!too_long(&mut silence, PATIENCE / 5).await, "after {:?}", began.elapsed());
            silence.end();
        }
        assert!(began.elapsed() > PATIENCE);
        let last = Instant::now();
        assert!(too_long(&mut silence, 20 * PATIENCE).await);
        assert!(last.elapsed() >= PATIENCE, "after {:?}", last.elapsed());
    }

    #[tokio::test]
    async fn it_is_too_long_at_the_latest_when_the_whole_time_is_over() {
        let mut silence = Silence::of(Duration::from_secs(3600));
        let until = Instant::now() + Duration::from_millis(20);
        poll_fn(|context| silence.poll_too_long(context, Some(until))).await;
        assert!(Instant::now() >= until);
    }
}
