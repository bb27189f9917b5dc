//! Which versions of a component answer.

use std::sync::Arc;

use super::{
    lot::{Lot, Share},
    version::Version,
};

/// The versions that answer: one, or one and another that is being tried on a share of the requests.
#[derive(Clone)]
pub struct Versions {
    /// Answers everything that no other is drawn for.
    pub active: Arc<Version>,
    /// Answers its share.
    pub trial: Option<Trial>,
}

/// A newer version on trial.
#[derive(Clone)]
pub struct Trial {
    /// What is tried.
    pub version: Arc<Version>,
    /// On how many of the requests.
    pub share: Share,
}

impl Versions {
    /// One version for everything.
    pub fn only(active: Arc<Version>) -> Self {
        Self { active, trial: None }
    }

    /// The version that this ticket is answered by.
    pub fn pick(&self, lot: Lot) -> &Arc<Version> {
        match &self.trial {
            Some(trial) if lot.is_below(trial.share) => &trial.version,
            _ => &self.active,
        }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Version>> {
        [Some(&self.active), self.trial.as_ref().map(|trial| &trial.version)].into_iter().flatten()
    }
}
