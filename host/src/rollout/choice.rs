//! Choosing among versions that are there: one on trial is promoted or taken back, an earlier one answers again.

use std::time::Duration;

use super::{
    Change, Progress, Refused, Rollout, drain,
    ledger::{Entry, What},
    standing::{Standing, Stored, Tried},
};

/// What becomes of a version on trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// It answers everything from now on.
    Promoted,
    /// It answers nothing any more.
    TakenBack,
}

impl Rollout {
    /// Lets the version on trial answer everything.
    ///
    /// # Errors
    /// When there is none, or the ledger cannot be written.
    pub async fn promote(&self, component: &str, why: Option<String>, progress: &Progress) -> Result<(), Refused> {
        let Change { standing, held } = self.begin(component).await?;
        let Some(tried) = standing.trial.clone() else {
            return Err(Refused::at_once(format!("no version of `{component}` is on trial")));
        };
        let patience = Duration::from_millis(standing.drain_ms);
        self.warm_up_trial(component).await;
        let (next, entry) = ended(standing, tried, End::Promoted, why);
        let former = self.switch(component, next, entry, &[], progress).await?;
        drop(held);
        self.finish(component, former, patience, progress).await;
        Ok(())
    }

    /// Takes the version on trial away; without one, or with a number given, lets an earlier version answer again.
    ///
    /// # Errors
    /// When there is no such version, or it does not fit its neighbours any more.
    pub async fn rollback(
        &self,
        component: &str,
        to: Option<u32>,
        why: Option<String>,
        progress: &Progress,
    ) -> Result<(), Refused> {
        let Change { standing, held } = self.begin(component).await?;
        let patience = Duration::from_millis(standing.drain_ms);
        let trial_ends = standing.trial.clone().filter(|_| to.is_none_or(|to| to == standing.active.number));
        let former = match trial_ends {
            Some(tried) => {
                let (next, entry) = ended(standing, tried, End::TakenBack, why);
                self.switch(component, next, entry, &[], progress).await?
            }
            None => {
                let stored = self.earlier(component, &standing, to).await.map_err(Refused::at_once)?;
                let version = self.prepare(component, &stored, progress).await?;
                let detail = why.or_else(|| Some(format!("rolled back from v{}", standing.active.number)));
                let entry = Entry { number: Some(stored.number), what: What::Active, detail };
                let next = Standing { active: stored, trial: None, ..standing };
                self.switch(component, next, entry, &[version], progress).await?
            }
        };
        drop(held);
        self.finish(component, former, patience, progress).await;
        Ok(())
    }

    /// Ends the trial of this version, as was judged. What answers no more finishes by itself: other trials are watched
    /// meanwhile. Where the trial has ended already, by another host or by the operator, nothing is left to do.
    pub(super) async fn end_trial(&self, component: &str, number: u32, end: End, why: String) -> Result<(), Refused> {
        let Change { standing, held } = self.begin(component).await?;
        let Some(tried) = standing.trial.clone().filter(|tried| tried.version.number == number) else {
            return Ok(());
        };
        let patience = Duration::from_millis(standing.drain_ms);
        if end == End::Promoted {
            self.warm_up_trial(component).await;
        }
        let (next, entry) = ended(standing, tried, end, Some(why));
        let former = self.switch(component, next, entry, &[], &Progress::untold()).await?;
        drop(held);
        let component = component.to_owned();
        tokio::spawn(async move { drain(&component, former, patience).await });
        Ok(())
    }

    /// Lets the version on trial, which had a share to answer, have as many instances as the one that answers the others.
    async fn warm_up_trial(&self, component: &str) {
        let versions = self.application.service(component).and_then(|service| service.versions());
        if let Some(versions) = versions
            && let Some(trial) = &versions.trial
        {
            trial.version.warm_up(&versions.active).await;
        }
    }

    /// The version to go back to: the one that was asked for, else the one that answered last before this one.
    async fn earlier(&self, component: &str, standing: &Standing, to: Option<u32>) -> Result<Stored, String> {
        let mut kept = self.ledger.versions(component).await.map_err(|error| error.to_string())?;
        let history = self.ledger.history(component).await.map_err(|error| error.to_string())?;
        let tried = |number: u32| history.iter().any(|past| past.number == number && past.what == What::Trial.word());
        // A crash leaves one that was never let in, and may lack its migrations.
        kept.retain(|one| one.answered_at.is_some() || tried(one.version.number));
        let others: Vec<_> = kept.iter().filter(|one| one.version.number != standing.active.number).collect();
        let numbers = || {
            let list: Vec<String> = others.iter().map(|one| format!("v{}", one.version.number)).collect();
            if list.is_empty() { "none is".to_owned() } else { format!("{} are", list.join(", ")) }
        };
        if to == Some(standing.active.number) {
            return Err(format!("v{} of `{component}` answers already", standing.active.number));
        }
        if let Some(to) = to {
            let found = others.iter().find(|one| one.version.number == to).map(|one| one.version.clone());
            return found.ok_or_else(|| format!("v{to} of `{component}` is not kept: {}", numbers()));
        }
        let last = others.iter().filter(|one| one.answered_at.is_some()).max_by_key(|one| one.answered_at);
        let last = last.map(|one| one.version.clone());
        last.ok_or_else(|| format!("no earlier version of `{component}` can be gone back to: {} kept", numbers()))
    }
}

/// What stands after a trial, and what the history says of its end.
fn ended(standing: Standing, tried: Tried, end: End, why: Option<String>) -> (Standing, Entry) {
    let number = Some(tried.version.number);
    match end {
        End::Promoted => {
            let entry = Entry { number, what: What::Active, detail: why };
            (Standing { active: tried.version, trial: None, ..standing }, entry)
        }
        End::TakenBack => {
            let entry = Entry { number, what: What::RolledBack, detail: why };
            (Standing { trial: None, ..standing }, entry)
        }
    }
}
