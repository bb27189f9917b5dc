//! Replacing a component while it serves: deploy, trial, promotion, rollback.
//!
//! A new version is made ready beside the one that answers: compiled, held against everything it deals with, migrated,
//! instantiated, probed. Until the switch, whatever fails leaves what is served as it was. The switch is one step in the
//! ledger, which every host of the application follows, and one step in each host's memory.
//!
//! **Invariant:** what the ledger says is what is served: by a host that starts, and by one that runs, within a second.
//! **Invariant:** a request, call or event begins and ends on one version.

mod application;
mod catch_up;
mod choice;
mod examine;
mod follow;
mod hold;
mod judge;
mod ledger;
mod needs;
mod open;
mod order;
mod ready;
mod standing;
mod step;
#[cfg(test)]
mod tests;
mod trial;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::join_all;

pub use self::{
    application::Application,
    catch_up::{Left, Unserved},
    examine::{Neighbours, examine},
    follow::Following,
    hold::Held,
    ledger::{Entry, InFolder, InPostgres, Kept, Ledger, LedgerError, News, Past, What},
    open::{FileArtifact, open, taken_up},
    order::Order,
    standing::{Origin, Standing, Stored, Tried},
    step::{Progress, Refused, Report, Step},
};
use crate::{
    database::Leases,
    digest::sha256,
    manifest::did_you_mean,
    service::{Service, Trial, Version, Versions},
};

/// How long a version that answers no more gets to finish where nobody says otherwise.
pub const DRAIN_TIME: Duration = Duration::from_secs(30);

/// How long a version is on trial where nobody says otherwise.
pub const TRIAL_TIME: Duration = Duration::from_secs(60);

/// How long another host's change is waited for.
const OTHERS_TIME: Duration = Duration::from_secs(10);

/// Changes which versions of an application's components answer.
pub struct Rollout {
    name: String,
    ledger: Box<dyn Ledger>,
    application: Arc<dyn Application>,
    /// What this host serves.
    standings: Mutex<BTreeMap<String, Standing>>,
    /// What it should serve and cannot.
    unserved: Mutex<BTreeMap<String, Unserved>>,
    leases: Option<Leases>,
    /// One change at a time on this host; between hosts a lease sees to it.
    changing: tokio::sync::Mutex<()>,
}

impl Rollout {
    /// A rollout of what is served already, as `standings` say.
    pub fn new(
        name: &str,
        ledger: Box<dyn Ledger>,
        application: Arc<dyn Application>,
        standings: BTreeMap<String, Standing>,
        leases: Option<Leases>,
    ) -> Arc<Self> {
        let (name, standings) = (name.to_owned(), Mutex::new(standings));
        let (unserved, changing) = (Mutex::default(), tokio::sync::Mutex::default());
        Arc::new(Self { name, ledger, application, standings, unserved, leases, changing })
    }

    /// What this host serves, by component.
    pub fn standings(&self) -> BTreeMap<String, Standing> {
        self.serving().clone()
    }

    /// The components of the application, by name.
    pub fn services(&self) -> Vec<Arc<Service>> {
        let mut services = self.application.services();
        services.sort_by(|one, other| one.id.cmp(&other.id));
        services
    }

    /// What happened to a component's versions, the latest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn history(&self, component: &str) -> Result<Vec<Past>, LedgerError> {
        self.ledger.history(component).await
    }

    /// Makes a new version of a component and lets it answer.
    ///
    /// # Errors
    /// The step that failed, and why; what is served has not changed.
    pub async fn deploy(&self, order: Order, progress: &Progress) -> Result<(), Refused> {
        let Order { component, bytes, migrations, trial, drain, probe, origin } = order;
        self.is_served(&component)?;
        if self.not_on_trial(&component).is_err() {
            // Another host may just have ended it.
            drop(self.hold().await?);
            self.not_on_trial(&component)?;
        }
        // It takes the longest, and nobody need wait for it. Other hosts do it meanwhile.
        let compiling = async {
            // What cannot be composed here is offered to nobody.
            self.application.composes(&component, bytes.clone()).await?;
            self.ledger.offer(&component, &sha256(&bytes), &bytes).await.map_err(told)?;
            self.compile(&component, bytes.clone()).await
        };
        let mut composition = self.noting(&component, None, progress.step(Step::Compile, compiling)).await?;
        let change = self.begin(&component).await?;
        let standing = change.standing;
        // Another may have been faster.
        self.not_on_trial(&component)?;
        if !self.application.is_as_described(&component, &composition) {
            // Another manifest came in between, or other files with it.
            let compiling = progress.step(Step::Compile, self.compile(&component, bytes.clone()));
            composition = self.noting(&component, None, compiling).await?;
        }
        let fitting = progress.step(Step::Contract, async { self.fits(&component, &composition) });
        self.noting(&component, None, fitting).await?;
        let keeping = async {
            let kept = self.ledger.add(&component, &composition.hash, &bytes, origin).await.map_err(told)?;
            let detail = format!("v{} ({})", kept.number, short(&kept.hash));
            Ok((kept, detail))
        };
        let stored = progress.step(Step::Keep, keeping).await?;
        drop(bytes);
        let hash = stored.hash.clone();
        let readying = self.make_ready(&component, &stored, composition, &migrations, probe.as_deref(), progress);
        let version = self.noting(&component, Some(stored.number), readying).await?;
        let drain_ms = u64::try_from(drain.as_millis()).unwrap_or(u64::MAX);
        let (next, entry) = match trial {
            None => {
                let entry = Entry { number: Some(stored.number), what: What::Active, detail: None };
                (Standing { active: stored, trial: None, drain_ms, ..standing }, entry)
            }
            Some((share, time)) => {
                let detail = Some(format!("on {share} of the requests"));
                let entry = Entry { number: Some(stored.number), what: What::Trial, detail };
                let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX).max(1);
                (Standing { trial: Some(Tried { version: stored, share, seconds }), drain_ms, ..standing }, entry)
            }
        };
        let former = self.switch(&component, next, entry, &[version], progress).await?;
        if origin == Origin::Manifest
            && let Err(error) = self.ledger.take_up_file(&component, &hash).await
        {
            tracing::warn!(component, %error, "it could not be noted that the manifest's file is served");
        }
        drop(change.held);
        self.finish(&component, former, drain, progress).await;
        Ok(())
    }

    /// Forgets a version that a step of its deploy refuses, and notes why in the history; before it is kept it has no number.
    async fn noting<T>(
        &self,
        component: &str,
        number: Option<u32>,
        step: impl Future<Output = Result<T, Refused>>,
    ) -> Result<T, Refused> {
        let done = step.await;
        if let Err(refused) = &done
            && let Err(error) = self.ledger.refuse(component, number, refused.to_string()).await
        {
            tracing::warn!(component, %error, "a refused deploy could not be noted");
        }
        done
    }

    fn is_served(&self, component: &str) -> Result<(), Refused> {
        if self.application.service(component).is_some() {
            return Ok(());
        }
        let services = self.application.services();
        let names = did_you_mean(component, services.iter().map(|service| &*service.id));
        Err(Refused::at_once(format!("the application has no component `{component}`; {names}")))
    }

    /// A component has one version on trial at most.
    fn not_on_trial(&self, component: &str) -> Result<(), Refused> {
        match self.serving().get(component).and_then(|standing| standing.trial.as_ref()) {
            None => Ok(()),
            Some(tried) => Err(Refused::at_once(format!(
                "v{} of `{component}` is on trial: end that first with `plaza promote {component}` or `plaza rollback {component}`",
                tried.version.number
            ))),
        }
    }

    /// Begins a change: nobody else changes anything until it is over.
    async fn begin(&self, component: &str) -> Result<Change<'_>, Refused> {
        let held = self.hold().await?;
        self.is_served(component)?;
        if let Some(Unserved { version, reason, .. }) = self.unserved(component) {
            return Err(Refused::at_once(format!(
                "{version} of `{component}`, which is to answer, cannot be served here, so this host changes nothing about it: {reason}; mend that and run `plaza apply`"
            )));
        }
        let standing = self.serving().get(component).cloned();
        let standing =
            standing.ok_or_else(|| Refused::at_once(format!("`{component}` is not served yet; try again")))?;
        Ok(Change { standing, held })
    }

    /// Writes a standing down and serves it; returns the versions that answer no more.
    async fn switch(
        &self,
        component: &str,
        next: Standing,
        entry: Entry,
        ready: &[Arc<Version>],
        progress: &Progress,
    ) -> Result<Vec<Arc<Version>>, Refused> {
        let switching = async {
            let next = self.ledger.stand(component, &next, entry).await.map_err(told)?;
            let detail = match &next.trial {
                Some(tried) => format!(
                    "v{} answers {} of the requests, v{} the others",
                    tried.version.number, tried.share, next.active.number
                ),
                None => format!("v{} answers", next.active.number),
            };
            let former = self.serve(component, next, ready).map_err(|reason| vec![reason])?;
            Ok((former, detail))
        };
        progress.step(Step::Switch, switching).await
    }

    /// Serves a standing out of versions that answer already or are ready to.
    fn serve(&self, component: &str, standing: Standing, ready: &[Arc<Version>]) -> Result<Vec<Arc<Version>>, String> {
        let service =
            self.application.service(component).ok_or_else(|| format!("`{component}` is not served any more"))?;
        let known: Vec<Arc<Version>> = service
            .versions()
            .iter()
            .flat_map(|versions| versions.all().cloned())
            .chain(ready.iter().cloned())
            .collect();
        let find = |stored: &Stored| {
            let found = known.iter().find(|version| version.number == stored.number).cloned();
            found.ok_or_else(|| format!("v{} of `{component}` is not ready", stored.number))
        };
        let active = find(&standing.active)?;
        let trial = match &standing.trial {
            Some(tried) => Some(Trial { version: find(&tried.version)?, share: tried.share }),
            None => None,
        };
        let former = service.switch(Versions { active, trial });
        tracing::info!(
            component,
            version = format!("v{}", standing.active.number),
            trial = standing.trial.as_ref().map(|tried| format!("v{}", tried.version.number)),
            "switched"
        );
        self.serving().insert(component.to_owned(), standing);
        Ok(former)
    }

    /// Lets the former versions finish, and tells of the end.
    async fn finish(&self, component: &str, former: Vec<Arc<Version>>, patience: Duration, progress: &Progress) {
        let mut cut_off = 0;
        if !former.is_empty() {
            let draining = async {
                let cut = drain(component, former, patience).await;
                let detail = if cut == 0 { "nothing was cut off".to_owned() } else { format!("{cut} were cut off") };
                Ok((cut, detail))
            };
            cut_off = progress.step(Step::Drain, draining).await.unwrap_or_default();
        }
        let standing = self.serving().get(component).cloned();
        if let Some(standing) = standing {
            progress.tell(Report::Finished {
                component: component.to_owned(),
                active: format!("v{}", standing.active.number),
                trial: standing.trial.map(|tried| format!("v{}", tried.version.number)),
                cut_off,
            });
        }
    }

    fn serving(&self) -> MutexGuard<'_, BTreeMap<String, Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change under way.
struct Change<'a> {
    standing: Standing,
    held: Held<'a>,
}

/// Lets versions finish within `patience`; returns and tells how much had to be cut off.
pub async fn drain(component: &str, former: Vec<Arc<Version>>, patience: Duration) -> usize {
    let cut = join_all(former.iter().map(|version| async move {
        let cut = version.drain(patience).await;
        match cut {
            0 => tracing::info!(component, version = %version.label, "drained"),
            _ => tracing::warn!(
                component, version = %version.label, requests.cut_off = cut, drain.seconds = patience.as_secs(),
                "requests were cut off at the end of the time to drain"
            ),
        }
        cut
    }));
    cut.await.into_iter().sum()
}

fn told(error: LedgerError) -> Vec<String> {
    vec![error.to_string()]
}

/// A hash as people tell it apart.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
