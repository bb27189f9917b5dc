//! The ledger in the state folder, for an application that has no database.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Entry, KEPT_ENTRIES, KEPT_VERSIONS, Kept, Ledger, LedgerError, News, Past, What};
use crate::rollout::{
    judge::Seen,
    standing::{Origin, Standing, Stored},
};

/// The ledger of the one host that uses this folder.
pub struct InFolder {
    folder: PathBuf,
    pages: Mutex<Pages>,
}

/// What stands in `versions.json`, by component.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Pages(BTreeMap<String, Page>);

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Page {
    last: u32,
    standing: Option<Standing>,
    /// Of the manifest's file that was taken up last.
    #[serde(default)]
    file_hash: Option<String>,
    /// The oldest first.
    versions: Vec<Kept>,
    /// The oldest first.
    history: Vec<Past>,
}

impl InFolder {
    /// Reads the ledger of a state folder, or begins one.
    ///
    /// # Errors
    /// [`LedgerError::Folder`] when it is there and cannot be read.
    pub fn open(folder: &Path) -> Result<Self, LedgerError> {
        let file = folder.join("versions.json");
        let failed = |cause| LedgerError::Folder { path: file.clone(), cause };
        let mut pages = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(error.into()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Pages::default(),
            Err(error) => return Err(failed(error)),
        };
        pages.0.values_mut().for_each(Page::remember);
        Ok(Self { folder: folder.to_owned(), pages: Mutex::new(pages) })
    }

    /// Changes the pages: in the file first, so that what is not written down does not hold.
    fn change<R>(&self, act: impl FnOnce(&mut Pages) -> Result<R, LedgerError>) -> Result<R, LedgerError> {
        let mut pages = self.pages();
        let mut changed = pages.clone();
        let result = act(&mut changed)?;
        let text = serde_json::to_vec_pretty(&changed).map_err(|error| self.failed("versions.json", error.into()))?;
        self.write("versions.json", &text)?;
        *pages = changed;
        Ok(result)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        let (file, draft) = (self.folder.join(name), self.folder.join(format!("{name}.draft")));
        let written = file.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = written.and_then(|()| write_through(&draft, bytes)).and_then(|()| std::fs::rename(&draft, &file));
        written.map_err(|error| self.failed(name, error))
    }

    fn failed(&self, name: &str, cause: std::io::Error) -> LedgerError {
        LedgerError::Folder { path: self.folder.join(name), cause }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn page(&self, component: &str) -> Page {
        self.pages().0.get(component).cloned().unwrap_or_default()
    }

    /// Deletes the bytes of versions that are kept no more.
    fn sweep(&self) {
        let kept: Vec<String> = self
            .pages()
            .0
            .values()
            .flat_map(|page| page.versions.iter().map(|kept| artifact(&kept.version.hash)))
            .collect();
        for entry in std::fs::read_dir(self.folder.join("artifacts")).into_iter().flatten().flatten() {
            let name = format!("artifacts/{}", entry.file_name().to_string_lossy());
            if !kept.contains(&name) {
                _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

#[async_trait]
impl Ledger for InFolder {
    async fn standings(&self) -> Result<BTreeMap<String, Standing>, LedgerError> {
        let pages = self.pages();
        let standing = |(id, page): (&String, &Page)| Some((id.clone(), page.standing.clone()?));
        Ok(pages.0.iter().filter_map(standing).collect())
    }

    async fn versions(&self, component: &str) -> Result<Vec<Kept>, LedgerError> {
        Ok(self.page(component).versions.into_iter().rev().collect())
    }

    async fn artifact(&self, hash: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        match std::fs::read(self.folder.join(artifact(hash))) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(&artifact(hash), error)),
        }
    }

    async fn offer(&self, _component: &str, _hash: &str, _bytes: &[u8]) -> Result<(), LedgerError> {
        // There is nobody to tell.
        Ok(())
    }

    async fn add(&self, component: &str, hash: &str, bytes: &[u8], origin: Origin) -> Result<Stored, LedgerError> {
        self.write(&artifact(hash), bytes)?;
        self.change(|pages| {
            let page = pages.0.entry(component.to_owned()).or_default();
            page.last += 1;
            let stored = Stored { number: page.last, hash: hash.to_owned(), origin };
            page.versions.push(Kept { version: stored.clone(), answered_at: None });
            Ok(stored)
        })
    }

    async fn stand(&self, component: &str, standing: &Standing, entry: Entry) -> Result<Standing, LedgerError> {
        let standing = self.change(|pages| {
            let page = pages.0.entry(component.to_owned()).or_default();
            if page.standing.as_ref().map_or(0, |standing| standing.revision) != standing.revision {
                return Err(LedgerError::Overtaken { component: component.to_owned() });
            }
            let standing = Standing { revision: standing.revision + 1, ..standing.clone() };
            let former = page.standing.replace(standing.clone());
            let answered = [former.as_ref(), Some(&standing)].map(|one| one.map(|one| one.active.number));
            page.stamp(|kept| answered.contains(&Some(kept.version.number)).then(Utc::now));
            page.note(entry);
            page.forget(&standing);
            Ok(standing)
        })?;
        self.sweep();
        Ok(standing)
    }

    async fn files(&self) -> Result<BTreeMap<String, String>, LedgerError> {
        let pages = self.pages();
        let file = |(id, page): (&String, &Page)| Some((id.clone(), page.file_hash.clone()?));
        Ok(pages.0.iter().filter_map(file).collect())
    }

    async fn take_up_file(&self, component: &str, hash: &str) -> Result<(), LedgerError> {
        self.change(|pages| {
            pages.0.entry(component.to_owned()).or_default().file_hash = Some(hash.to_owned());
            Ok(())
        })
    }

    async fn refuse(&self, component: &str, number: Option<u32>, why: String) -> Result<(), LedgerError> {
        self.change(|pages| {
            let page = pages.0.entry(component.to_owned()).or_default();
            page.versions.retain(|kept| Some(kept.version.number) != number);
            page.note(Entry { number, what: What::Refused, detail: Some(why) });
            Ok(())
        })?;
        self.sweep();
        Ok(())
    }

    async fn tell_seen(&self, _component: &str, _number: u32, seen: Seen) -> Result<Seen, LedgerError> {
        // There is no other host.
        Ok(seen)
    }

    async fn history(&self, component: &str) -> Result<Vec<Past>, LedgerError> {
        let page = self.page(component);
        let with_hash = |past: Past| {
            let kept = page.versions.iter().find(|kept| kept.version.number == past.number);
            Past { hash: kept.map(|kept| kept.version.hash.clone()), ..past }
        };
        Ok(page.history.iter().rev().cloned().map(with_hash).collect())
    }

    async fn news(&self) -> News {
        // Nobody else writes here.
        std::future::pending().await
    }
}

impl Page {
    fn note(&mut self, entry: Entry) {
        let Entry { number, what, detail } = entry;
        let number = number.unwrap_or_default();
        self.history.push(Past { number, hash: None, what: what.word().to_owned(), detail, at: Utc::now() });
        let beyond = self.history.len().saturating_sub(usize::try_from(KEPT_ENTRIES).unwrap_or(usize::MAX));
        self.history.drain(..beyond);
    }

    /// Notes that versions answer now, where `at` says when.
    fn stamp(&mut self, at: impl Fn(&Kept) -> Option<DateTime<Utc>>) {
        for kept in &mut self.versions {
            kept.answered_at = at(kept).or(kept.answered_at);
        }
    }

    /// Of what was written before it was noted when a version answered, the history tells.
    fn remember(&mut self) {
        let history = std::mem::take(&mut self.history);
        let became_active =
            |number: u32| history.iter().rev().find(|past| past.number == number && past.what == What::Active.word());
        self.stamp(|kept| kept.answered_at.or_else(|| Some(became_active(kept.version.number)?.at)));
        self.history = history;
    }

    /// Forgets what neither answers nor is among those that answered last. What never answered may yet do so, if it is newer
    /// than what does.
    fn forget(&mut self, standing: &Standing) {
        let mut times: Vec<DateTime<Utc>> = self.versions.iter().filter_map(|kept| kept.answered_at).collect();
        times.sort_unstable_by(|one, other| other.cmp(one));
        let last = usize::try_from(KEPT_VERSIONS).ok().and_then(|count| times.get(count.saturating_sub(1)).copied());
        let trial = standing.trial.as_ref().map(|trial| trial.version.number);
        self.versions.retain(|kept| {
            let number = kept.version.number;
            let stays = match kept.answered_at {
                Some(at) => last.is_none_or(|last| at >= last),
                None => number > standing.active.number,
            };
            stays || number == standing.active.number || Some(number) == trial
        });
    }
}

fn artifact(hash: &str) -> String {
    format!("artifacts/{hash}.wasm")
}

/// Writes a file that is on the disk when this returns: a name must never stand for half of it.
fn write_through(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::File::create(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(number: u32) -> Entry {
        Entry { number: Some(number), what: What::Active, detail: None }
    }

    #[tokio::test]
    async fn what_stands_is_there_after_it_is_opened_again_and_old_versions_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = InFolder::open(folder.path()).unwrap();
        let mut revision = 0;
        for number in 1..=7 {
            let bytes = vec![u8::try_from(number).unwrap()];
            let stored = ledger.add("a", &format!("hash-{number}"), &bytes, Origin::Deploy).await.unwrap();
            assert_eq!(stored.number, number);
            let standing = Standing { revision, active: stored, trial: None, drain_ms: 1 };
            revision = ledger.stand("a", &standing, active(number)).await.unwrap().revision;
        }
        let again = InFolder::open(folder.path()).unwrap();
        assert_eq!(again.standings().await.unwrap()["a"].active.number, 7);
        let numbers: Vec<u32> = again.versions("a").await.unwrap().iter().map(|kept| kept.version.number).collect();
        assert_eq!(numbers, [7, 6, 5, 4, 3]);
        assert_eq!(again.artifact("hash-7").await.unwrap(), Some(vec![7]));
        assert_eq!(again.artifact("hash-1").await.unwrap(), None);
        assert_eq!(again.history("a").await.unwrap().len(), 7);
    }

    #[tokio::test]
    async fn of_what_was_written_before_times_were_noted_the_history_tells_when_it_answered() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"a": {"last": 2, "standing": null,
            "versions": [{"number": 1, "hash": "x", "origin": "manifest"}, {"number": 2, "hash": "y", "origin": "deploy"}],
            "history": [
                {"number": 1, "hash": null, "what": "active", "detail": null, "at": "2026-01-01T00:00:00Z"},
                {"number": 2, "hash": null, "what": "refused", "detail": null, "at": "2026-01-02T00:00:00Z"}]}}"#;
        std::fs::write(folder.path().join("versions.json"), text).unwrap();
        let kept = InFolder::open(folder.path()).unwrap().versions("a").await.unwrap();
        let answered: Vec<Option<String>> =
            kept.iter().map(|one| one.answered_at.map(|at| at.date_naive().to_string())).collect();
        assert_eq!(answered, [None, Some("2026-01-01".to_owned())]);
    }

    #[tokio::test]
    async fn a_change_that_was_made_from_an_older_one_does_not_hold() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = InFolder::open(folder.path()).unwrap();
        let stored = ledger.add("a", "hash", b"x", Origin::Manifest).await.unwrap();
        let standing = Standing { revision: 0, active: stored, trial: None, drain_ms: 1 };
        ledger.stand("a", &standing, active(1)).await.unwrap();
        let late = ledger.stand("a", &standing, active(1)).await;
        assert!(matches!(late, Err(LedgerError::Overtaken { .. })), "{late:?}");
    }
}
