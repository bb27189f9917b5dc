//! The stores of an application, and what a component is granted of them.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Store, file::StoreFile};
use crate::{manifest::runtime_config::Place, sqlite_file::OpenError};

/// The stores that a component is granted, by the names that its manifest has for them.
pub type Granted = Arc<BTreeMap<String, Store>>;

/// Why a store cannot be granted.
#[derive(Debug, thiserror::Error)]
pub enum StoresError {
    /// Nobody said where it is kept.
    #[error(
        "nothing says where the key-value store `{0}` is kept; add `[key_value_store.{0}]` to the file of --runtime-config-file"
    )]
    Unknown(String),
    /// Its file cannot be opened.
    #[error("cannot open the key-value store `{label}` in {}: {source}", path.display())]
    Open {
        /// Its name.
        label: String,
        /// Its file.
        path: PathBuf,
        /// Why.
        source: OpenError,
    },
}

/// Where the stores of an application are kept, and those that are open.
pub struct Stores {
    places: BTreeMap<String, Place>,
    open: Mutex<HashMap<String, StoreFile>>,
}

impl Stores {
    /// Stores in these places, by name. None is opened yet.
    pub fn new(places: BTreeMap<String, Place>) -> Self {
        Self { places, open: Mutex::default() }
    }

    /// Grants a component the stores of these names. One answer may have so many bytes. Opens the files, which blocks for
    /// a moment.
    ///
    /// # Errors
    /// A store of which nobody said where it is, or that cannot be opened.
    pub fn grant(&self, labels: &[String], answer_bytes: usize) -> Result<Granted, StoresError> {
        let stores = labels.iter().map(|label| {
            let file = self.file(label)?;
            Ok((label.clone(), Store::new(file, label.as_str().into(), answer_bytes)))
        });
        Ok(Arc::new(stores.collect::<Result<_, StoresError>>()?))
    }

    fn file(&self, label: &str) -> Result<StoreFile, StoresError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(label) {
            return Ok(file.clone());
        }
        let place = self.places.get(label).ok_or_else(|| StoresError::Unknown(label.to_owned()))?;
        let file = StoreFile::open(place).map_err(|source| {
            let path = place.path().map(PathBuf::from).unwrap_or_default();
            StoresError::Open { label: label.to_owned(), path, source }
        })?;
        open.insert(label.to_owned(), file.clone());
        Ok(file)
    }
}
