//! What the files hold that are composed in. They are read when a manifest is taken up, by a start or by `plaza apply`, and by nobody
//! in between: a deploy, a rollback or a host that follows makes a version of what was agreed to, whatever lies in the folder meanwhile.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{digest::sha256, manifest::app::Component};

/// What the files of an application's dependencies held when they were read.
#[derive(Debug, Clone, Default)]
pub struct Files(BTreeMap<PathBuf, Result<Held, String>>);

/// What one of them held.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) bytes: Arc<[u8]>,
    /// SHA-256, in hexadecimal.
    pub(super) hash: String,
}

impl Files {
    /// Reads the files of these components' dependencies. Of one that cannot be read it is noted why.
    pub fn read<'a>(components: impl IntoIterator<Item = &'a Component>) -> Self {
        let mut files = BTreeMap::new();
        for dependency in components.into_iter().flat_map(Component::parts).map(|(_, part)| part) {
            files.entry(dependency.file.clone()).or_insert_with(|| match std::fs::read(&dependency.file) {
                Ok(bytes) => Ok(Held { hash: sha256(&bytes), bytes: bytes.into() }),
                Err(error) => Err(error.to_string()),
            });
        }
        Self(files)
    }

    /// With what `former` has of those that could not be read.
    #[must_use]
    pub fn or(mut self, former: &Self) -> Self {
        for (file, held) in self.0.iter_mut().filter(|(_, held)| held.is_err()) {
            if let Some(Ok(former)) = former.0.get(file) {
                *held = Ok(former.clone());
            }
        }
        self
    }

    /// What a file held.
    ///
    /// # Errors
    /// Why it is not known.
    pub(super) fn held(&self, file: &Path) -> Result<&Held, String> {
        match self.0.get(file) {
            Some(held) => held.as_ref().map_err(Clone::clone),
            None => Err("it was not read with the manifest".to_owned()),
        }
    }

    /// SHA-256 of what a file held, in hexadecimal, where that is known.
    pub fn hash(&self, file: &Path) -> Option<&str> {
        self.held(file).ok().map(|held| held.hash.as_str())
    }

    /// Each file that could be read, and SHA-256 of what it held, in hexadecimal.
    pub fn hashes(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.0.iter().filter_map(|(file, held)| Some((file.as_path(), held.as_ref().ok()?.hash.as_str())))
    }
}
