//! Watching over versions on trial.
//!
//! Each host tells the others what it has seen, and judges by what all have. One that finds that a version fails takes it back at once, for
//! all hosts; that it is as good as the one before is for the host to say that has the lease.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{
    Rollout,
    choice::End,
    judge::{Judgement, Seen, judge},
};
use crate::{database::Lease, service::Service};

/// How often a trial is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A trial that this host watches.
struct Watched {
    number: u32,
    since: Instant,
    before: Seen,
    right: Option<Right>,
}

/// The right to let a version on trial answer everything, which one host has.
enum Right {
    /// There is no other host.
    Alone,
    /// Held for as long as the trial goes on.
    Leased { _lease: Lease },
}

impl Rollout {
    pub(super) async fn watch_trials(&self) {
        let mut watched: BTreeMap<String, Watched> = BTreeMap::new();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let standings = self.standings();
            watched.retain(|component, watched| {
                let tried = standings.get(component).and_then(|standing| standing.trial.as_ref());
                tried.is_some_and(|tried| tried.version.number == watched.number)
            });
            for (component, standing) in &standings {
                let (Some(tried), Some(service)) = (&standing.trial, self.application.service(component)) else {
                    continue;
                };
                let Some(now) = counts(&service) else { continue };
                let number = tried.version.number;
                let begin = || Watched { number, since: Instant::now(), before: now.clone(), right: None };
                let watched = watched.entry(component.clone()).or_insert_with(begin);
                if watched.right.is_none() {
                    watched.right = self.right_to_promote(component).await;
                }
                let window = Duration::from_secs(tried.seconds.into());
                let seen = self.ledger.tell_seen(component, number, now.since(&watched.before)).await;
                match seen.map(|seen| judge(&seen, watched.since.elapsed(), window)) {
                    Ok(judgement) => self.act_on(component, watched, judgement).await,
                    Err(error) => {
                        tracing::debug!(component, %error, "a version on trial cannot be judged; trying again")
                    }
                }
            }
        }
    }

    /// `None` while another host has it, or the database does not answer.
    async fn right_to_promote(&self, component: &str) -> Option<Right> {
        let Some(leases) = &self.leases else { return Some(Right::Alone) };
        let lease = leases.try_take(&format!("trial/{}/{component}", self.name)).await.ok().flatten()?;
        Some(Right::Leased { _lease: lease })
    }

    async fn act_on(&self, component: &str, watched: &Watched, judgement: Judgement) {
        let (end, why) = match judgement {
            Judgement::Promote if watched.right.is_some() => {
                tracing::info!(component, "the version on trial is as good as the active one and takes its place");
                (End::Promoted, "as good as the version before".to_owned())
            }
            Judgement::Wait | Judgement::Promote => return,
            Judgement::RollBack(why) => {
                tracing::warn!(component, why, "the version on trial is taken away again");
                (End::TakenBack, why)
            }
        };
        if let Err(refused) = self.end_trial(component, watched.number, end, why).await {
            tracing::warn!(component, reason = %refused, "the trial could not be ended; trying again");
        }
    }
}

/// What the active version and the one on trial have done.
fn counts(service: &Service) -> Option<Seen> {
    let versions = service.versions()?;
    let trial = versions.trial.as_ref()?;
    Some(Seen { active: versions.active.tally.count(), trial: trial.version.tally.count() })
}
