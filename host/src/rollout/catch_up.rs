//! Serving what the ledger says, where that fits this host's manifest.
//!
//! What is to be taken over is held against what each component will be, for several may have changed together. A version that does
//! not fit is not served; the former one goes on, and the operator is told.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    Neighbours, Rollout, drain,
    ledger::LedgerError,
    standing::{Standing, Stored},
};
use crate::{engine::Artifact, service::contract::Surface};

/// How long one waits before looking again at what could not be served: another manifest may have been applied meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A version that should be served here and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unserved {
    /// Its name.
    pub version: String,
    /// Why not.
    pub reason: String,
    revision: i64,
    looked_at: Instant,
}

/// What another host has changed about a component.
struct Wanted {
    standing: Standing,
    /// Versions that do not answer here yet.
    fresh: Vec<Fresh>,
    /// Of all versions that will answer.
    surfaces: Vec<Surface>,
}

struct Fresh {
    stored: Stored,
    artifact: Artifact,
    surface: Surface,
}

impl Rollout {
    /// Serves what the ledger says. A version that this host cannot serve is told of once, and tried again later.
    pub(super) async fn catch_up(&self) -> Result<(), LedgerError> {
        let mut wanted = BTreeMap::new();
        for (component, standing) in self.ledger.standings().await? {
            if !self.is_behind(&component, &standing) {
                continue;
            }
            match self.wanted(&component, standing.clone()).await {
                Ok(one) => _ = wanted.insert(component, one),
                Err(reason) => self.leave(&component, &standing, &standing.active, reason),
            }
        }
        self.leave_unfit(&mut wanted);
        for (component, one) in wanted {
            let (standing, newest) = (one.standing.clone(), newest(&one));
            match self.take_over(&component, one).await {
                Ok(()) => self.forget_unserved(&component),
                Err(reason) => self.leave(&component, &standing, &newest, reason),
            }
        }
        Ok(())
    }

    /// What should be served of a component and is not.
    pub fn unserved(&self, component: &str) -> Option<Unserved> {
        self.unserved_here().get(component).cloned()
    }

    /// Nothing of a component need be served here any more.
    pub(super) fn forget_unserved(&self, component: &str) {
        self.unserved_here().remove(component);
    }

    fn is_behind(&self, component: &str, standing: &Standing) -> bool {
        let behind = self.serving().get(component).is_none_or(|serving| serving.revision < standing.revision);
        let waits = self.unserved_here().get(component).is_some_and(|unserved| {
            unserved.revision == standing.revision && unserved.looked_at.elapsed() < LOOK_AGAIN
        });
        behind && !waits && self.application.service(component).is_some()
    }

    async fn wanted(&self, component: &str, standing: Standing) -> Result<Wanted, String> {
        let service = self.application.service(component).ok_or("it is not served here any more")?;
        let answering = service.versions();
        let answering: Vec<_> = answering.iter().flat_map(|versions| versions.all().cloned()).collect();
        let (mut fresh, mut surfaces) = (Vec::new(), Vec::new());
        let versions = [Some(&standing.active), standing.trial.as_ref().map(|tried| &tried.version)];
        for stored in versions.into_iter().flatten() {
            if let Some(version) = answering.iter().find(|version| version.number == stored.number) {
                surfaces.push(version.surface.clone());
                continue;
            }
            let artifact = self.artifact(stored).await?;
            let surface = self.application.surface(&artifact);
            surfaces.push(surface.clone());
            fresh.push(Fresh { stored: stored.clone(), artifact, surface });
        }
        Ok(Wanted { standing, fresh, surfaces })
    }

    /// Leaves out what does not fit, until the rest fits together.
    fn leave_unfit(&self, wanted: &mut BTreeMap<String, Wanted>) {
        let running = self.neighbours();
        loop {
            let mut together = running.clone();
            together.extend(wanted.iter().map(|(component, one)| (component.clone(), one.surfaces.clone())));
            let unfit: Vec<_> = wanted
                .iter()
                .filter_map(|(component, one)| {
                    let (stored, reason) = self.misfit(component, one, &running, &together)?;
                    Some((component.clone(), stored, reason))
                })
                .collect();
            if unfit.is_empty() {
                return;
            }
            for (component, stored, reason) in unfit {
                if let Some(one) = wanted.remove(&component) {
                    self.leave(&component, &one.standing, &stored, reason);
                }
            }
        }
    }

    /// The first version that does not fit, and why. What it needs anew is told by what runs here.
    fn misfit(
        &self,
        component: &str,
        wanted: &Wanted,
        running: &Neighbours,
        together: &Neighbours,
    ) -> Option<(Stored, String)> {
        let mut neighbours = together.clone();
        if let Some(former) = running.get(component) {
            neighbours.insert(component.to_owned(), former.clone());
        }
        wanted.fresh.iter().find_map(|fresh| {
            let reasons = self.application.examine(component, &fresh.surface, &neighbours);
            (!reasons.is_empty()).then(|| (fresh.stored.clone(), reasons.join("; ")))
        })
    }

    async fn take_over(&self, component: &str, wanted: Wanted) -> Result<(), String> {
        let Wanted { standing, fresh, .. } = wanted;
        let ready = fresh
            .into_iter()
            .map(|fresh| self.application.assemble(component, fresh.stored.number, fresh.artifact))
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(active) = self.application.service(component).and_then(|service| service.active()) {
            for version in &ready {
                version.warm_up(&active).await;
            }
        }
        let patience = Duration::from_millis(standing.drain_ms);
        let former = self.serve(component, standing, &ready)?;
        let component = component.to_owned();
        tokio::spawn(async move { drain(&component, former, patience).await });
        Ok(())
    }

    /// Goes on serving the former version; tells of it once.
    fn leave(&self, component: &str, standing: &Standing, stored: &Stored, reason: String) {
        let version = format!("v{}", stored.number);
        let next = Unserved { version, reason, revision: standing.revision, looked_at: Instant::now() };
        let former = self.unserved_here().insert(component.to_owned(), next.clone());
        if former.is_none_or(|former| (former.revision, &former.reason) != (next.revision, &next.reason)) {
            let Unserved { version, reason, .. } = next;
            tracing::error!(component, version, reason, "what another host has deployed cannot be served here");
        }
    }

    fn unserved_here(&self) -> MutexGuard<'_, BTreeMap<String, Unserved>> {
        self.unserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The version that is on trial, else the one that answers.
fn newest(wanted: &Wanted) -> Stored {
    let trial = wanted.standing.trial.as_ref().map(|tried| &tried.version);
    trial.unwrap_or(&wanted.standing.active).clone()
}
