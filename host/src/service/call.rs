//! What travels with a request and with every call made on its behalf.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
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
    /// When the answer is no longer of use; where it has a body, when that must have begun.
    pub deadline: Instant,
    /// When an answer that has begun must have ended.
    pub answer_until: Instant,
    /// Whether the answer has begun.
    pub has_begun: Arc<AtomicBool>,
    /// Which version answers where a newer one is being tried.
    pub lot: Lot,
    /// The components that are waiting for this call, outermost first.
    pub chain: Arc<[Arc<str>]>,
    /// How many came before those, and wait no more: their requests were answered while they still had something to do.
    pub behind: usize,
    /// What the application was when this began. What it is, those know who carry requests on within it.
    pub home: Option<Arc<dyn Any + Send + Sync>>,
}

impl CallContext {
    /// The context of something that begins here, and whose answer is there at once when it has begun.
    pub fn root(request_id: Arc<str>, traceparent: Option<Arc<str>>, deadline: Instant, lot: Lot) -> Self {
        let has_begun = Arc::default();
        let chain = Arc::from([]);
        Self { request_id, traceparent, deadline, answer_until: deadline, has_begun, lot, chain, behind: 0, home: None }
    }

    /// The same, whose answer may go on until then once it has begun.
    pub fn answering_until(self, answer_until: Instant) -> Self {
        Self { answer_until, ..self }
    }

    /// The answer has begun.
    pub fn begins_to_answer(&self) {
        self.has_begun.store(true, Ordering::Release);
    }

    /// Until when something may be asked on its behalf: until its deadline, or until its answer has ended if that has begun.
    pub fn until(&self) -> Instant {
        if self.has_begun.load(Ordering::Acquire) { self.answer_until } else { self.deadline }
    }

    /// How many components have handed it on.
    pub fn depth(&self) -> usize {
        self.chain.len().saturating_add(self.behind)
    }

    /// The context for a call that `caller` makes to `callee`, with a deadline of its own if that is sooner.
    ///
    /// # Errors
    /// The chain of callers, where the call would wait for itself or the chain is too long.
    pub fn enter(&self, caller: &Arc<str>, callee: &str, deadline: Instant) -> Result<Self, String> {
        if &**caller == callee || self.is_waited_for_by(callee) {
            return Err(self.path(caller, callee));
        }
        self.enter_again(caller, callee, deadline)
    }

    /// The same for a request, which `callee` may answer although it waits in the chain already: by another instance, or beside what it waits
    /// for.
    ///
    /// # Errors
    /// The chain of callers, where it is too long.
    pub fn enter_again(&self, caller: &Arc<str>, callee: &str, deadline: Instant) -> Result<Self, String> {
        if self.depth() >= CALL_DEPTH {
            return Err(self.path(caller, callee));
        }
        Ok(Self {
            chain: self.chain.iter().cloned().chain([caller.clone()]).collect(),
            deadline: self.until().min(deadline),
            answer_until: self.until().min(deadline),
            has_begun: Arc::default(),
            ..self.clone()
        })
    }

    /// Whether a component waits for it.
    pub fn is_waited_for_by(&self, component: &str) -> bool {
        self.chain.iter().any(|id| &**id == component)
    }

    fn path(&self, caller: &str, callee: &str) -> String {
        let waiting = self.chain.iter().map(|id| &**id);
        waiting.chain([caller, callee]).collect::<Vec<_>>().join(" → ")
    }
}

/// Whether somebody still waits for an answer. The waiting side holds a [`Guard`], the working side this.
#[derive(Debug, Default)]
pub struct Presence {
    /// Milliseconds since [`started`] at which the guard was dropped, plus one; 0 while it is held.
    gone_at: AtomicU64,
    left: Notify,
    /// Whether it waits to be taken up ([`WAITS`]), an instance has done so ([`BEGUN`]), or it was given up before ([`LEFT`]).
    stand: AtomicU8,
    /// Whether the instance ended before the answer did.
    cut_off: AtomicBool,
    /// Milliseconds since [`started`] by which the client must have asked for more, plus one; 0 while the guest is asked.
    read_by: AtomicU64,
}

/// Nobody has taken up what is asked so far.
const WAITS: u8 = 0;
/// An instance has.
const BEGUN: u8 = 1;
/// Nobody will, for whoever asked has left.
const LEFT: u8 = 2;

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

    /// An instance takes up what is asked; false where whoever asked has left already, and nothing is to be done any more.
    pub fn begin(&self) -> bool {
        self.becomes(BEGUN)
    }

    /// What becomes of what waits is settled once.
    fn becomes(&self, stand: u8) -> bool {
        self.stand.compare_exchange(WAITS, stand, Ordering::AcqRel, Ordering::Acquire).is_ok()
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
        _ = self.becomes(LEFT);
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
    /// Waits no more; true where no instance has taken up what is asked, and now none will.
    pub fn give_up(&self) -> bool {
        self.0.becomes(LEFT)
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

    #[test]
    fn who_waits_no_more_counts_and_makes_no_circle() {
        let later = Instant::now() + Duration::from_secs(9);
        let mut context = CallContext { behind: CALL_DEPTH - 2, ..context() };
        context = context.enter(&"a".into(), "b", later).unwrap();
        context = context.enter(&"b".into(), "c", later).unwrap();
        assert_eq!(context.enter(&"c".into(), "d", later).unwrap_err(), "a → b → c → d");
    }

    #[test]
    fn what_is_asked_once_an_answer_has_begun_has_the_time_of_the_answer() {
        let now = Instant::now();
        let outer = context().answering_until(now + Duration::from_secs(60));
        outer.begins_to_answer();
        let inner = outer.enter(&"a".into(), "b", now + Duration::from_secs(30)).unwrap();
        assert_eq!(inner.deadline, now + Duration::from_secs(30));
        let inner = outer.enter(&"a".into(), "b", now + Duration::from_secs(90)).unwrap();
        assert_eq!(inner.deadline, outer.answer_until);
        inner.begins_to_answer();
        assert_eq!(outer.enter(&"a".into(), "c", now).unwrap().until(), now, "each has its own answer");
    }

    #[test]
    fn what_was_given_up_before_it_began_does_not_begin_and_what_began_is_not_given_up_as_if_it_had_not() {
        let (guard, presence) = Presence::new();
        assert!(guard.give_up());
        assert!(!presence.begin());
        let (guard, presence) = Presence::new();
        assert!(presence.begin());
        assert!(!guard.give_up());
        let (guard, presence) = Presence::new();
        drop(guard);
        assert!(!presence.begin(), "its client has gone away");
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
