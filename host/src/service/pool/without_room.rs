//! A pool for whose instances the process has no room: it waits in its turn, and its jobs with it.

use std::sync::Arc;

use super::{Phase, Pool, State};
use crate::service::{
    job::Job,
    room::{Place, Refused, Waiter},
};

impl Pool {
    /// Whether another worker may be started now. Where other pools wait for room in the process, this one waits behind them.
    pub(super) fn may_start(self: &Arc<Self>, state: &mut State) -> bool {
        if state.is_without_room || state.live() >= self.limits.instances {
            return false;
        }
        if std::mem::take(&mut state.is_admitted) {
            return true;
        }
        state.is_without_room = self.room.waits_behind_others(&self.waiter());
        !state.is_without_room
    }

    /// A worker is gone because its instance found no room in the process. What it was given waits before everything else
    /// until there is room; where there never will be, it is handed back.
    ///
    /// # Errors
    /// The jobs, where there never will be.
    pub(in crate::service) fn found_no_room(
        self: &Arc<Self>,
        id: u64,
        jobs: Vec<Job>,
        place: Place,
    ) -> Result<(), Vec<Job>> {
        let mut state = self.lock();
        state.forget(id);
        self.empty.notify_one();
        if state.phase == Phase::Cut {
            jobs.into_iter().for_each(|job| _ = job.reply.send(Err(self.stopping())));
            return Ok(());
        }
        let refused = place.refused(&self.waiter());
        if refused == Refused::ForEver {
            self.fill(&mut state);
            drop(state);
            self.room.pass_on();
            return Err(jobs);
        }
        state.is_without_room = refused == Refused::Waits;
        state.is_admitted = refused == Refused::Again;
        jobs.into_iter().rev().filter(Job::is_wanted).for_each(|job| state.waiting.push_front(job));
        self.fill(&mut state);
        state.is_admitted = false;
        while state.waiting.len() > self.limits.queue {
            let failure = self.overloaded(&state);
            let Some(job) = state.waiting.pop_back() else { break };
            _ = job.reply.send(Err(failure));
        }
        Ok(())
    }

    fn waiter(self: &Arc<Self>) -> Arc<dyn Waiter> {
        self.clone()
    }
}

impl Waiter for Pool {
    fn admit(self: Arc<Self>) -> bool {
        let mut state = self.lock();
        state.is_without_room = false;
        state.is_admitted = true;
        let before = state.next_id;
        if state.phase != Phase::Cut {
            self.fill(&mut state);
        }
        state.is_admitted = false;
        self.empty.notify_one();
        state.next_id != before
    }
}
