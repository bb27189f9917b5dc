//! The outer loop of a worker: it lets a thread's connections and timers have their turn between two turns of a guest that
//! computes long, and gives up on a guest that is stuck.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use tokio::time::{Instant, Sleep, sleep};

use super::underway::Underway;
use crate::limits::{ABANDONED_GRACE, LONG_TURN, OVERRUN_GRACE};

/// Runs the inner loop, and gives up on it when it has let go of a job that nobody wants for too long.
pub(super) async fn watch(
    underway: &Underway,
    inner: impl Future<Output = wasmtime::Result<()>>,
) -> wasmtime::Result<()> {
    let mut inner = pin!(inner);
    let mut alarm = Alarm { sleep: Box::pin(sleep(OVERRUN_GRACE)), armed: true };
    let mut pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>> = None;
    poll_fn(|context| {
        if let Some(pausing) = &mut pause {
            ready!(pausing.as_mut().poll(context));
            pause = None;
        }
        let began = Instant::now();
        if let Poll::Ready(ending) = inner.as_mut().poll(context) {
            return Poll::Ready(ending);
        }
        if began.elapsed() > LONG_TURN {
            // The guest was stopped at an epoch and wants the next turn at once. The thread's connections and timers
            // come first: what tokio calls a yield puts a task behind them, which waking it does not.
            pause = Some(Box::pin(tokio::task::yield_now()));
        }
        if alarm.rings(context, underway) {
            return Poll::Ready(Err(wasmtime::format_err!(
                "the guest neither answered nor yielded in time: it computes without end, or waits in a call that holds its instance"
            )));
        }
        Poll::Pending
    })
    .await
}

/// Looks at the jobs underway now and then, while there are any.
struct Alarm {
    sleep: Pin<Box<Sleep>>,
    armed: bool,
}

impl Alarm {
    fn rings(&mut self, context: &mut Context<'_>, underway: &Underway) -> bool {
        loop {
            if !self.armed {
                if underway.is_empty() {
                    return false;
                }
                self.sleep.as_mut().reset(Instant::now() + OVERRUN_GRACE);
                self.armed = true;
            }
            if self.sleep.as_mut().poll(context).is_pending() {
                return false;
            }
            self.armed = false;
            if underway.is_stuck(ABANDONED_GRACE + OVERRUN_GRACE) {
                return true;
            }
        }
    }
}
