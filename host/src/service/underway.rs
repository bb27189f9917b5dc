//! The jobs in an instance, where both loops of its worker can see them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    call::{CallContext, Presence},
    failure::Failure,
    job::{Answer, Reply},
};

/// The jobs in an instance, where both loops can see them.
#[derive(Default)]
pub(super) struct Underway(Mutex<Jobs>);

#[derive(Default)]
struct Jobs {
    next_key: u64,
    list: Vec<UnderwayJob>,
}

pub(super) struct UnderwayJob {
    key: u64,
    /// On whose behalf.
    pub context: Arc<CallContext>,
    presence: Arc<Presence>,
    /// `None` once it has been answered.
    pub reply: Option<Reply>,
}

impl Underway {
    /// Notes a job; the key names it from now on.
    pub fn add(&self, context: Arc<CallContext>, presence: Arc<Presence>, reply: Reply) -> u64 {
        self.with(|jobs| {
            let key = jobs.next_key;
            jobs.next_key += 1;
            jobs.list.push(UnderwayJob { key, context, presence, reply: Some(reply) });
            key
        })
    }

    /// Answers a job, once.
    pub fn answer(&self, key: u64, answer: Result<Answer, Failure>) {
        let reply = self.with(|jobs| {
            let job = jobs.list.iter_mut().find(|job| job.key == key)?;
            let reply = job.reply.take()?;
            if answer.is_ok() {
                job.context.begins_to_answer();
            }
            Some(reply)
        });
        if let Some(reply) = reply {
            _ = reply.send(answer);
        }
    }

    /// Forgets a job.
    pub fn remove(&self, key: u64) {
        self.with(|jobs| jobs.list.retain(|job| job.key != key));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.with(|jobs| jobs.list.is_empty())
    }

    /// Whether there is a job that nobody has waited for longer than `patience`, and that is still here.
    pub fn is_stuck(&self, patience: Duration) -> bool {
        let patience_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        self.with(|jobs| jobs.list.iter().any(|job| job.presence.gone_for_ms().is_some_and(|ms| ms > patience_ms)))
    }

    /// Lets go of the answers that their clients leave unread.
    pub fn let_go(&self) {
        self.with(|jobs| {
            for job in jobs.list.iter().filter(|job| job.presence.is_left_unread()) {
                job.presence.cut_off();
                if job.presence.gone_for_ms().is_none() {
                    job.presence.leave();
                }
            }
        });
    }

    /// The instance ends: takes all of them, and tells those whose answers have begun.
    pub fn end(&self) -> Vec<UnderwayJob> {
        let cut = self.with(|jobs| std::mem::take(&mut jobs.list));
        cut.iter().for_each(|job| job.presence.cut_off());
        cut
    }

    fn with<R>(&self, act: impl FnOnce(&mut Jobs) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
