//! What travels with a request and with every call made on its behalf.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::lot::Lot;
use crate::limits::CALL_DEPTH;

/// The context of one request, call, event or tick.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// The id that the logs and the answer carry.
    pub request_id: Arc<str>,
    /// W3C trace context, handed on to what is called.
    pub traceparent: Option<Arc<str>>,
    /// When the answer is no longer of use.
    pub deadline: Instant,
    /// Which version answers where a newer one is being tried.
    pub lot: Lot,
    /// The components that are waiting for this call, outermost first.
    pub chain: Arc<[Arc<str>]>,
}

impl CallContext {
    /// The context of something that begins here.
    pub fn root(request_id: Arc<str>, traceparent: Option<Arc<str>>, deadline: Instant, lot: Lot) -> Self {
        Self { request_id, traceparent, deadline, lot, chain: Arc::from([]) }
    }

    /// The context for a call that `caller` makes to `callee`, with a deadline of its own if that is sooner.
    ///
    /// # Errors
    /// The chain of callers, where the call would wait for itself or the chain is too long.
    pub fn enter(&self, caller: &Arc<str>, callee: &str, deadline: Instant) -> Result<Self, String> {
        let cycle = &**caller == callee || self.chain.iter().any(|id| &**id == callee);
        if cycle || self.chain.len() >= CALL_DEPTH {
            let mut path: Vec<&str> = self.chain.iter().map(|id| &**id).collect();
            path.extend([&**caller, callee]);
            return Err(path.join(" → "));
        }
        Ok(Self {
            chain: self.chain.iter().cloned().chain([caller.clone()]).collect(),
            deadline: self.deadline.min(deadline),
            ..self.clone()
        })
    }
}

/// Whether somebody still waits for an answer. The waiting side holds a [`Guard`], the working side this.
#[derive(Debug, Default)]
pub struct Presence {
    /// Milliseconds since [`started`] at which the guard was dropped, plus one; 0 while it is held.
    gone_at: AtomicU64,
    left: Notify,
    /// Whether an instance has taken up what is asked.
    begun: AtomicBool,
    /// Whether the instance ended before the answer did.
    cut_off: AtomicBool,
    /// Milliseconds since [`started`] by which the client must have asked for more, plus one; 0 while the guest is asked.
    read_by: AtomicU64,
}

/// Held as long as an answer is wanted.
#[derive(Debug)]
pub struct Guard(Arc<Presence>);

impl Presence {
    /// A guard to hold and the presence that it stands for.
    pub fn new() -> (Guard, Arc<Self>) {
        let presence = Arc::new(Self::default());
        (Guard(presence.clone()), presence)
    }

    /// Returns once nobody waits any more. One task at a time may wait here.
    pub async fn gone(&self) {
        while self.gone_for_ms().is_none() {
            self.left.notified().await;
        }
    }

    /// An instance has taken up what is asked.
    pub fn begin(&self) {
        self.begun.store(true, Ordering::Release);
    }

    /// The instance has ended, and what there is of the answer is all there will be. To be said before the store is
    /// dropped: a body whose store is gone looks like one that has come to its end.
    pub fn cut_off(&self) {
        self.cut_off.store(true, Ordering::Release);
    }

    /// Whether the client has left the answer unread for too long. Nobody waits for it then.
    pub fn is_left_unread(&self) -> bool {
        let by = self.read_by.load(Ordering::Relaxed);
        by != 0 && by < now_ms() + 1
    }

    /// Nobody waits any more, whoever still holds the guard.
    pub fn leave(&self) {
        self.gone_at.store(now_ms() + 1, Ordering::Release);
        self.left.notify_one();
    }

    /// For how long nobody has waited, in milliseconds; `None` while somebody does.
    pub fn gone_for_ms(&self) -> Option<u64> {
        match self.gone_at.load(Ordering::Acquire) {
            0 => None,
            at => Some((now_ms() + 1).saturating_sub(at)),
        }
    }
}

impl Guard {
    /// Whether an instance has taken up what is asked.
    pub fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Acquire)
    }

    /// Whether the instance ended before the answer did.
    pub fn is_cut_off(&self) -> bool {
        self.0.cut_off.load(Ordering::Acquire)
    }

    /// The client has something to read, or waits for more where this is `None`.
    pub fn to_be_read_within(&self, patience: Option<Duration>) {
        let by = patience.map_or(0, |patience| now_ms().saturating_add(milliseconds(patience)) + 1);
        self.0.read_by.store(by, Ordering::Relaxed);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.0.gone_for_ms().is_none() {
            self.0.leave();
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn now_ms() -> u64 {
    static STARTED: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    milliseconds(STARTED.get_or_init(Instant::now).elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> CallContext {
        CallContext::root("r".into(), None, Instant::now() + Duration::from_secs(1), Lot::LAST)
    }

    #[test]
    fn a_call_to_a_component_that_already_waits_is_a_cycle() {
        let later = Instant::now() + Duration::from_secs(9);
        let inner = context().enter(&"a".into(), "b", later).unwrap().enter(&"b".into(), "c", later).unwrap();
        assert_eq!(inner.enter(&"c".into(), "a", later).unwrap_err(), "a → b → c → a");
        assert_eq!(context().enter(&"a".into(), "a", later).unwrap_err(), "a → a");
    }

    #[test]
    fn a_call_has_no_more_time_than_its_caller() {
        let outer = context();
        let inner = outer.enter(&"a".into(), "b", outer.deadline + Duration::from_secs(5)).unwrap();
        assert_eq!(inner.deadline, outer.deadline);
    }

    #[tokio::test]
    async fn dropping_the_guard_tells_the_working_side() {
        let (guard, presence) = Presence::new();
        assert!(presence.gone_for_ms().is_none());
        drop(guard);
        presence.gone().await;
        assert!(presence.gone_for_ms().is_some());
    }
}
