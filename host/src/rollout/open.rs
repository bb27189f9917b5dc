//! What a host that starts is to serve.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DRAIN_TIME,
    ledger::{Entry, Kept, Ledger, LedgerError, What},
    short,
    standing::{Origin, Standing},
};

/// The file that the manifest names for a component.
#[derive(Debug, Clone)]
pub struct FileArtifact {
    /// SHA-256 of its bytes, in hexadecimal.
    pub hash: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What each component is to serve, by its name.
///
/// What stands in the ledger is served, unless the manifest's file is a new one: another than the one that was taken up last, and
/// none that was deployed. A new file is a new version, and goes before all others; a deploy or a rollback goes before a
/// file that is not new. With `files_only` the files are served in any case.
///
/// # Errors
/// When the ledger cannot be read or written.
pub async fn open(
    ledger: &dyn Ledger,
    files: &BTreeMap<String, FileArtifact>,
    files_only: bool,
) -> Result<BTreeMap<String, Standing>, LedgerError> {
    let mut standings = ledger.standings().await?;
    standings.retain(|component, _| files.contains_key(component));
    let taken_up = ledger.files().await?;
    for (component, file) in files {
        let former = taken_up.get(component);
        if let Some(standing) = stays(ledger, component, file, standings.get(component), former, files_only).await? {
            if standing.active.hash != file.hash {
                tracing::warn!(
                    component,
                    version = format!("v{}", standing.active.number),
                    file.hash = short(&file.hash),
                    "the version that was chosen is served, not the manifest's file; `plaza rollback`, `plaza deploy` or `plaza up --files-only` changes that"
                );
            }
        } else {
            let standing = take_up(ledger, component, file, standings.get(component)).await?;
            standings.insert(component.clone(), standing);
        }
        if former != Some(&file.hash) {
            ledger.take_up_file(component, &file.hash).await?;
        }
    }
    Ok(standings)
}

/// The components of which [`open`] would make the file a version that answers.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn taken_up(
    ledger: &dyn Ledger,
    files: &BTreeMap<String, FileArtifact>,
    files_only: bool,
) -> Result<BTreeSet<String>, LedgerError> {
    let (standings, former) = (ledger.standings().await?, ledger.files().await?);
    let mut taken_up = BTreeSet::new();
    for (component, file) in files {
        let (stands, former) = (standings.get(component), former.get(component));
        if stays(ledger, component, file, stands, former, files_only).await?.is_none() {
            taken_up.insert(component.clone());
        }
    }
    Ok(taken_up)
}

/// What stands, if it goes before the manifest's file.
async fn stays<'a>(
    ledger: &dyn Ledger,
    component: &str,
    file: &FileArtifact,
    stands: Option<&'a Standing>,
    former: Option<&String>,
    files_only: bool,
) -> Result<Option<&'a Standing>, LedgerError> {
    Ok(match stands {
        None => None,
        Some(standing) if standing.active.hash == file.hash => Some(standing),
        Some(_) if files_only => None,
        Some(standing) => {
            let kept = ledger.versions(component).await?;
            (!is_new(file, former, standing, &kept)).then_some(standing)
        }
    })
}

/// Whether this file is another than the one that was taken up last. Whoever has deployed one, and gone back from it, does not
/// want it again.
fn is_new(file: &FileArtifact, former: Option<&String>, standing: &Standing, kept: &[Kept]) -> bool {
    let mut same = kept.iter().map(|kept| &kept.version).filter(|version| version.hash == file.hash);
    match former {
        Some(former) => *former != file.hash && !same.any(|version| version.origin == Origin::Deploy),
        // Written by a host that did not take note: a file of which there is no version counts as new.
        None => standing.active.origin == Origin::Manifest || same.next().is_none(),
    }
}

/// Makes the file a version, and that the one that answers.
async fn take_up(
    ledger: &dyn Ledger,
    component: &str,
    file: &FileArtifact,
    stands: Option<&Standing>,
) -> Result<Standing, LedgerError> {
    let revision = stands.map_or(0, |standing| standing.revision);
    let drain_ms = u64::try_from(DRAIN_TIME.as_millis()).unwrap_or(u64::MAX);
    let active = ledger.add(component, &file.hash, &file.bytes, Origin::Manifest).await?;
    let entry =
        Entry { number: Some(active.number), what: What::Active, detail: Some("the manifest's file".to_owned()) };
    let standing = Standing { revision, active, trial: None, drain_ms };
    match ledger.stand(component, &standing, entry).await {
        // Another host starts as well, or deploys, and was faster: what it says holds.
        Err(LedgerError::Overtaken { .. }) => Ok(ledger.standings().await?.remove(component).unwrap_or(standing)),
        stood => stood,
    }
}
