//! Holding an application still while it is changed.

use tokio::sync::MutexGuard;

use super::{Ledger, LedgerError, OTHERS_TIME, Refused, Rollout, Standing};
use crate::database::Lease;

/// As long as this is there nobody else changes what the application serves, on any host.
pub struct Held<'a> {
    _guard: MutexGuard<'a, ()>,
    _lease: Option<Lease>,
}

impl Rollout {
    /// Waits for changes under way, here and on other hosts, and lets none begin.
    ///
    /// # Errors
    /// When another host does not come to its end, or the ledger cannot be read.
    pub async fn hold(&self) -> Result<Held<'_>, Refused> {
        let guard = self.changing.lock().await;
        let lease = match &self.leases {
            None => None,
            Some(leases) => {
                let name = format!("rollout/{}", self.name);
                let taking = tokio::time::timeout(OTHERS_TIME, leases.take(&name)).await;
                Some(taking.map_err(|_| {
                    Refused::at_once("another host is deploying, or the database is away; try again when that is over")
                })?)
            }
        };
        // Another host may have changed something that this one has not heard of yet.
        self.catch_up().await.map_err(|error| Refused::at_once(error.to_string()))?;
        Ok(Held { _guard: guard, _lease: lease })
    }

    /// Serves what the ledger says and could not be served before, where another manifest lets it be.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn look_again(&self, _held: &Held<'_>) -> Result<(), LedgerError> {
        self.catch_up().await
    }

    /// Where versions are kept.
    pub fn ledger(&self) -> &dyn Ledger {
        &*self.ledger
    }

    /// Notes that this host serves a component, which a manifest has added.
    pub fn took_up(&self, component: &str, standing: Standing) {
        self.serving().insert(component.to_owned(), standing);
    }

    /// Notes that this host does not serve a component any more.
    pub fn gave_up(&self, component: &str) {
        self.serving().remove(component);
        self.forget_unserved(component);
    }
}
