//! Serving what the ledger says, where that fits this host's manifest.
//!
//! What is to be taken over is held against what each component will be, for several may have changed together. A version that does
//! not fit is not served; the former one goes on, and the operator is told.

use std::{
    collections::BTreeMap,
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    Neighbours, Rollout, drain,
    ledger::LedgerError,
    standing::{Standing, Stored},
};
use crate::{
    compose::Composition,
    service::{Version, contract::Surface},
};

/// How long one waits before looking again at what could not be served, while all that it depends on stays as it is. Each time it is
/// twice as long, for what is fetched and compiled in vain is so while nobody can change anything.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How long one waits at most.
const LOOK_AGAIN_AFTER_ALL: Duration = Duration::from_secs(300);

/// A version that should be served here and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unserved {
    /// Its name.
    pub version: String,
    /// Why not.
    pub reason: String,
    revision: i64,
    attempt: Attempt,
}

/// A version that should answer from the start of a host on and cannot be served.
pub struct Left {
    /// The component's id.
    pub component: String,
    /// What stands in the ledger.
    pub standing: Standing,
    /// The version.
    pub stored: Stored,
    /// Why not.
    pub reason: String,
}

/// What decides whether something can be served: the manifest with its files, and which versions are to answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Situation {
    taken_up: u64,
    revisions: BTreeMap<String, i64>,
}

/// That something could not be served.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attempt {
    situation: Arc<Situation>,
    at: Instant,
    pause: Duration,
}

impl Attempt {
    /// One that has failed now, after `former`.
    fn failed(former: Option<&Self>, situation: &Arc<Situation>, at: Instant) -> Self {
        let same = former.filter(|former| former.situation == *situation);
        let pause = same.map_or(LOOK_AGAIN, |former| former.pause.saturating_mul(2).min(LOOK_AGAIN_AFTER_ALL));
        Self { situation: situation.clone(), at, pause }
    }

    /// Whether it is time for another one.
    fn is_over(&self, situation: &Situation, now: Instant) -> bool {
        *self.situation != *situation || now.saturating_duration_since(self.at) >= self.pause
    }
}

/// What another host has changed about a component.
struct Wanted {
    standing: Standing,
    /// Versions that do not answer here yet.
    fresh: Vec<Fresh>,
    /// Of all versions that will answer.
    surfaces: Vec<Arc<Surface>>,
}

struct Fresh {
    stored: Stored,
    composition: Composition,
    surface: Arc<Surface>,
}

impl Rollout {
    /// Serves what the ledger says. A version that this host cannot serve is told of once, and tried again later.
    pub(super) async fn catch_up(&self) -> Result<(), LedgerError> {
        let mut wanted = BTreeMap::new();
        let standings = self.ledger.standings().await?;
        let revisions = standings.iter().map(|(component, standing)| (component.clone(), standing.revision)).collect();
        let situation = Arc::new(Situation { taken_up: self.application.taken_up(), revisions });
        for (component, standing) in standings {
            if !self.is_behind(&component, &standing, &situation) {
                continue;
            }
            match self.wanted(&component, standing.clone()).await {
                Ok(one) => _ = wanted.insert(component, one),
                Err(reason) => self.leave(&component, &standing, &standing.active, reason, &situation),
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        self.leave_unfit(&mut wanted, &situation);
        for (component, one) in wanted {
            let (standing, newest) = (one.standing.clone(), newest(&one));
            match self.take_over(&component, one).await {
                Ok(()) => self.forget_unserved(&component),
                Err(reason) => self.leave(&component, &standing, &newest, reason, &situation),
            }
        }
        Ok(())
    }

    /// Notes what could not be served by a start. It is looked at again with the next change, or as soon as the ledger is.
    pub fn left_at_the_start(&self, left: Vec<Left>) {
        for Left { component, standing, stored, reason } in left {
            self.leave(&component, &standing, &stored, reason, &Arc::default());
        }
    }

    /// What should be served of a component and is not.
    pub fn unserved(&self, component: &str) -> Option<Unserved> {
        self.unserved_here().get(component).cloned()
    }

    /// Nothing of a component need be served here any more.
    pub(super) fn forget_unserved(&self, component: &str) {
        self.unserved_here().remove(component);
    }

    fn is_behind(&self, component: &str, standing: &Standing, situation: &Situation) -> bool {
        let behind = self.serving().get(component).is_none_or(|serving| serving.revision < standing.revision);
        let waits = self.unserved_here().get(component).is_some_and(|unserved| {
            unserved.revision == standing.revision && !unserved.attempt.is_over(situation, Instant::now())
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
            let composition = self.composition(component, stored).await.map_err(|reasons| reasons.join("; "))?;
            let surface = Arc::new(self.application.surface(&composition));
            surfaces.push(surface.clone());
            fresh.push(Fresh { stored: stored.clone(), composition, surface });
        }
        Ok(Wanted { standing, fresh, surfaces })
    }

    /// Leaves out what does not fit, until the rest fits together.
    fn leave_unfit(&self, wanted: &mut BTreeMap<String, Wanted>, situation: &Arc<Situation>) {
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
                    self.leave(&component, &one.standing, &stored, reason, situation);
                }
            }
        }
    }

    /// The first version that does not fit, and why. What it needs anew is told by what runs here; where nothing does, since the start
    /// could not serve it, it needs nothing anew.
    fn misfit(
        &self,
        component: &str,
        wanted: &Wanted,
        running: &Neighbours,
        together: &Neighbours,
    ) -> Option<(Stored, String)> {
        let mut neighbours = together.clone();
        if let Some(former) = running.get(component).filter(|former| !former.is_empty()) {
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
            .map(|fresh| self.application.assemble(component, fresh.stored.number, fresh.composition))
            .collect::<Result<Vec<_>, _>>()?;
        for version in &ready {
            try_out(version).await?;
        }
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
    fn leave(&self, component: &str, standing: &Standing, stored: &Stored, reason: String, situation: &Arc<Situation>) {
        let (version, revision) = (format!("v{}", stored.number), standing.revision);
        let mut unserved = self.unserved_here();
        let former = unserved.remove(component);
        let same = former.as_ref().filter(|former| former.revision == revision);
        let attempt = Attempt::failed(same.map(|former| &former.attempt), situation, Instant::now());
        let next = Unserved { version, reason, revision, attempt };
        unserved.insert(component.to_owned(), next.clone());
        drop(unserved);
        if former.is_none_or(|former| (former.revision, &former.reason) != (next.revision, &next.reason)) {
            let Unserved { version, reason, .. } = next;
            tracing::error!(component, version, reason, "what is to answer cannot be served here");
        }
    }

    fn unserved_here(&self) -> MutexGuard<'_, BTreeMap<String, Unserved>> {
        self.unserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes an instance, as where it was deployed: what is composed in, and how much memory there is, may be otherwise here. That there is no
/// room for one now says nothing of the version.
async fn try_out(version: &Version) -> Result<(), String> {
    match version.try_out().await {
        Err(error) if !error.is::<wasmtime::PoolConcurrencyLimitError>() => {
            Err(format!("it cannot be instantiated: {error:#}"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The version that is on trial, else the one that answers.
fn newest(wanted: &Wanted) -> Stored {
    let trial = wanted.standing.trial.as_ref().map(|tried| &tried.version);
    trial.unwrap_or(&wanted.standing.active).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation(taken_up: u64, revision: i64) -> Arc<Situation> {
        Arc::new(Situation { taken_up, revisions: BTreeMap::from([("web".to_owned(), revision)]) })
    }

    #[test]
    fn what_cannot_be_served_is_tried_again_ever_later_while_nothing_changes() {
        let (same, mut now) = (situation(0, 1), Instant::now());
        let mut attempt = Attempt::failed(None, &same, now);
        for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
            let pause = Duration::from_secs(seconds);
            assert!(!attempt.is_over(&same, now + pause - Duration::from_millis(1)), "{seconds}");
            now += pause;
            assert!(attempt.is_over(&same, now), "{seconds}");
            attempt = Attempt::failed(Some(&attempt), &same, now);
        }
    }

    #[test]
    fn what_cannot_be_served_is_tried_again_at_once_where_something_else_is_to_be_served() {
        let (before, now) = (situation(0, 1), Instant::now());
        let first = Attempt::failed(None, &before, now);
        let second = Attempt::failed(Some(&first), &before, now);
        for after in [situation(1, 1), situation(0, 2)] {
            assert!(second.is_over(&after, now));
            assert_eq!(Attempt::failed(Some(&second), &after, now).pause, LOOK_AGAIN);
        }
    }
}
