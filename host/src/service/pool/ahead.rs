//! Instances made before anybody asks for them: a version that takes over begins with them, and nobody waits for them.

use std::sync::Arc;

use super::{Phase, Pool};
use crate::service::{instance::Instance, room::Place, worker};

/// An instance that has no worker yet, and its place, which is given up after it.
pub(in crate::service) struct Made {
    pub instance: Instance,
    pub place: Place,
}

impl Pool {
    /// Makes an instance on the pool's runtime and keeps it for the first jobs.
    ///
    /// # Errors
    /// What making it says.
    pub async fn make_ahead(self: &Arc<Self>) -> wasmtime::Result<()> {
        let pool = self.clone();
        let making = self.runtime.spawn(async move {
            let place = pool.room.enter();
            let instance = pool.make().await?;
            pool.keep(Made { instance, place });
            Ok(())
        });
        making.await.map_err(|error| wasmtime::format_err!("instantiation was interrupted: {error}"))?
    }

    /// Makes further instances one after the other, until there are `wanted` or as many as there may be.
    /// What keeps it from making one keeps nobody from asking for one.
    pub async fn make_up_to(self: &Arc<Self>, wanted: usize) {
        for _ in self.status().instances..wanted.min(self.limits.instances) {
            if self.room.is_wanted() {
                break;
            }
            if let Err(error) = self.make_ahead().await {
                tracing::debug!(component = %self.component, version = %self.version, %error, "no further instance is made ahead");
                break;
            }
        }
    }

    /// Lets an instance take jobs, unless there are as many meanwhile as there may be.
    fn keep(self: &Arc<Self>, made: Made) {
        let mut state = self.lock();
        if state.phase != Phase::Open || state.live() >= self.limits.instances {
            // Whoever waits for the place may take this lock.
            drop(state);
            return drop(made);
        }
        let (slot, inbox) = self.slot(&mut state);
        let id = slot.id;
        state.slots.push(slot);
        let worker = self.runtime.spawn(worker::run_made(self.clone(), id, made, inbox));
        state.ends.push((id, worker.abort_handle()));
    }
}
