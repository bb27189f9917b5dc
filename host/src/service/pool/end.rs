//! How a pool ends: it takes nothing new, finishes what it has, or is cut off.

use std::sync::atomic::Ordering;

use super::{Phase, Pool, State};
use crate::service::job::Job;

impl Pool {
    /// Takes nothing new from now on.
    pub fn close(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Draining;
        }
    }

    /// Takes nothing new; its workers end once they have finished what there is.
    pub fn dismiss(&self) {
        self.close();
        self.lock().retire_all();
    }

    /// Takes nothing new, and returns once every worker has ended.
    pub async fn drain(&self) {
        self.close();
        loop {
            let ended = self.empty.notified();
            {
                let mut state = self.lock();
                state.retire_all();
                if state.live() == 0 && state.waiting.is_empty() {
                    return;
                }
            }
            ended.await;
        }
    }

    /// Takes nothing new, ends every worker at once with its instance, and returns how many jobs that cut off.
    pub fn cut(&self) -> usize {
        let (ends, waiting) = {
            let mut state = self.lock();
            state.phase = Phase::Cut;
            (std::mem::take(&mut state.ends), std::mem::take(&mut state.waiting))
        };
        let cut = self.running.load(Ordering::Relaxed) + waiting.len();
        ends.into_iter().for_each(|(_, end)| end.abort());
        cut
    }
}

impl State {
    /// Lets every worker end that has nothing more to do, once nobody waits for one.
    fn retire_all(&mut self) {
        self.waiting.retain(Job::is_wanted);
        if self.waiting.is_empty() {
            self.retired += self.slots.len();
            self.slots.clear();
        }
    }
}
