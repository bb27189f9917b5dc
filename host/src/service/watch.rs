//! The outer loop of a worker: it lets a thread's connections and timers have their turn between two turns of a guest that
//! computes long, and gives up on a guest that is stuck.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

use super::{
    hold::{Hold, Turn},
    inbox::Inbox,
    underway::Underway,
};
use crate::limits::{ABANDONED_GRACE, HELD_UP, LONG_TURN, OVERRUN_GRACE};

/// What the outer loop sees of the inner one.
pub(super) struct Watch<'a> {
    /// The jobs it has taken up.
    pub underway: &'a Underway,
    /// The jobs it has not.
    pub inbox: &'a Inbox,
    /// How many turns it has had.
    pub turns: &'a AtomicUsize,
    /// How often the guest was stopped because the epoch ended.
    pub stops: &'a AtomicUsize,
    /// Set to have the guest trap at the next epoch.
    pub time_is_over: &'a AtomicBool,
    /// How long the guest may keep it from its turn.
    pub patience: Duration,
}

impl Watch<'_> {
    /// Runs the inner loop, and gives up on it when it does not let go of a job that nobody wants, or when the guest keeps
    /// it from its turn for too long.
    pub async fn over(&self, inner: impl Future<Output = wasmtime::Result<()>>) -> wasmtime::Result<()> {
        let mut inner = pin!(inner);
        let mut hold = Hold::default();
        let mut alarm = Alarm { sleep: Box::pin(sleep(OVERRUN_GRACE)), armed: true };
        let (mut over, mut asked) = (false, None);
        let mut pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>> = None;
        poll_fn(|context| {
            if let Some(pausing) = &mut pause {
                ready!(pausing.as_mut().poll(context));
                pause = None;
            }
            let (began, turns, stops) = (Instant::now(), count(self.turns), count(self.stops));
            if let Poll::Ready(ending) = inner.as_mut().poll(context) {
                return Poll::Ready(ending);
            }
            if began.elapsed() > LONG_TURN {
                // The guest was stopped at an epoch and wants the next turn at once. The thread's connections and timers
                // come first: what tokio calls a yield puts a task behind them, which waking it does not.
                pause = Some(Box::pin(tokio::task::yield_now()));
            }
            let (reached_inner, stopped) = (count(self.turns) != turns, count(self.stops) != stops);
            let jobs_wait = !reached_inner && !self.inbox.is_empty();
            hold.note(&Turn { began, reached_inner, stopped, jobs_wait });
            self.inbox.hold_up(hold.is_longer_than(HELD_UP));
            let stuck = alarm.rings(context, self.underway, &hold);
            over |= stuck || hold.is_longer_than(self.patience);
            if over {
                // A guest that computes is stopped where it does, so that the log shows the place.
                let asked_before = self.time_is_over.swap(true, Ordering::Relaxed);
                let asked = *asked.get_or_insert_with(Instant::now);
                if (stopped || asked_before) && asked.elapsed() < OVERRUN_GRACE {
                    return Poll::Pending;
                }
                return Poll::Ready(Err(wasmtime::format_err!(
                    "the guest neither answered nor yielded in time: it computes without end, or waits in a call that holds its instance"
                )));
            }
            Poll::Pending
        })
        .await
    }
}

fn count(counter: &AtomicUsize) -> usize {
    counter.load(Ordering::Relaxed)
}

/// Looks at the jobs underway now and then, while there are any, and at a guest that keeps the inner loop from its turn.
struct Alarm {
    sleep: Pin<Box<Sleep>>,
    armed: bool,
}

impl Alarm {
    fn rings(&mut self, context: &mut Context<'_>, underway: &Underway, hold: &Hold) -> bool {
        loop {
            if !self.armed {
                if underway.is_empty() && !hold.is_on() {
                    return false;
                }
                self.sleep.as_mut().reset(Instant::now() + if hold.is_on() { HELD_UP } else { OVERRUN_GRACE });
                self.armed = true;
            }
            if self.sleep.as_mut().poll(context).is_pending() {
                return false;
            }
            self.armed = false;
            underway.let_go();
            if underway.is_stuck(ABANDONED_GRACE + OVERRUN_GRACE) {
                return true;
            }
        }
    }
}
