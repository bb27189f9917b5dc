//! From what stands in the ledger to what answers after a start.

use std::collections::BTreeMap;

use super::artifacts::{self, Loaded, Making};
use crate::{
    rollout::{Ledger, Left, Standing, taken_up},
    service::{Trial, Versions},
};

/// A file that is to be a new version has to be one that can be served. Of others it does not matter.
///
/// # Errors
/// What keeps those files from being served that the start would take up.
pub(super) async fn refuse_unfit_files(
    loaded: &BTreeMap<String, Loaded>,
    ledger: &dyn Ledger,
    files_only: bool,
) -> anyhow::Result<()> {
    if loaded.values().all(|loaded| loaded.composition.is_ok()) {
        return Ok(());
    }
    let taken_up = taken_up(ledger, &artifacts::files(loaded), files_only).await?;
    let taken_up = loaded.iter().filter(|(id, _)| taken_up.contains(*id));
    let unfit: Vec<&str> =
        taken_up.filter_map(|(_, loaded)| loaded.composition.as_ref().err()).map(String::as_str).collect();
    anyhow::ensure!(unfit.is_empty(), "{}", unfit.join("\n"));
    Ok(())
}

/// What answers after a start.
pub(super) struct Begun {
    /// What is served.
    pub(super) standings: BTreeMap<String, Standing>,
    /// What should be served and cannot be.
    pub(super) left: Vec<Left>,
    /// How many versions had to be compiled.
    pub(super) compiled: usize,
}

/// Lets the versions that stand in the ledger answer. One that has answered before and cannot be served now is left out, and keeps no
/// other component from being served; no other version answers in its place, for nobody has chosen one.
///
/// # Errors
/// When nothing at all could be served.
pub(super) async fn serve_standings(
    standings: BTreeMap<String, Standing>,
    making: &Making<'_>,
) -> anyhow::Result<Begun> {
    let mut begun = Begun { standings: BTreeMap::new(), left: Vec::new(), compiled: 0 };
    for (component, standing) in standings {
        let Some(service) = making.furnished.services.get(component.as_str()) else { continue };
        let (active, compiled) = match making.version(&component, &standing.active).await {
            Ok(made) => made,
            Err(error) => {
                let (stored, reason) = (standing.active.clone(), format!("{error:#}"));
                begun.left.push(Left { component, standing, stored, reason });
                continue;
            }
        };
        begun.compiled += usize::from(compiled);
        let mut served = standing.clone();
        let mut trial = None;
        if let Some(tried) = &standing.trial {
            match making.version(&component, &tried.version).await {
                Ok((version, compiled)) => {
                    begun.compiled += usize::from(compiled);
                    trial = Some(Trial { version, share: tried.share });
                }
                Err(error) => {
                    // Behind what stands in the ledger, so that it is caught up with once that can be served.
                    served = Standing { revision: standing.revision.saturating_sub(1), trial: None, ..served };
                    let (stored, reason) = (tried.version.clone(), format!("{error:#}"));
                    begun.left.push(Left { component: component.clone(), standing, stored, reason });
                }
            }
        }
        service.switch(Versions { active, trial });
        begun.standings.insert(component, served);
    }
    if begun.standings.is_empty() && !begun.left.is_empty() {
        let reasons: Vec<String> = begun.left.into_iter().map(|left| left.reason).collect();
        anyhow::bail!("{}", reasons.join("\n"));
    }
    Ok(begun)
}
