//! The stores of an application, and what a component is granted of them.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Store,
    file::StoreFile,
    in_file::InFile,
    in_postgres::{InPostgres, SharedRows},
    redis::InRedis,
    store::Kept,
};
use crate::{
    manifest::runtime_config::{Place, StorePlace},
    sqlite_file::OpenError,
};

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
    /// It is kept in the host's database, and there is none.
    #[error("the key-value store `{0}` is kept in PostgreSQL, and this host was started without; start it again")]
    NoDatabase(String),
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
    places: BTreeMap<String, StorePlace>,
    shared: Option<SharedRows>,
    open: Mutex<HashMap<String, Kept>>,
}

impl Stores {
    /// Stores in these places, by name; those in the host's own database are among `shared` rows. None is opened yet.
    pub fn new(places: BTreeMap<String, StorePlace>, shared: Option<SharedRows>) -> Self {
        Self { places, shared, open: Mutex::default() }
    }

    /// Grants a component the stores of these names. One answer may have so many bytes. Opens the files, which blocks for
    /// a moment; servers are connected to when they are asked, and from the runtime that this is called on.
    ///
    /// # Errors
    /// A store of which nobody said where it is, or that cannot be opened.
    pub fn grant(&self, labels: &[String], answer_bytes: usize) -> Result<Granted, StoresError> {
        let stores = labels.iter().map(|label| Ok((label.clone(), Store::new(self.kept(label)?, answer_bytes))));
        Ok(Arc::new(stores.collect::<Result<_, StoresError>>()?))
    }

    fn kept(&self, label: &str) -> Result<Kept, StoresError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = open.get(label) {
            return Ok(kept.clone());
        }
        let kept = match self.places.get(label).ok_or_else(|| StoresError::Unknown(label.to_owned()))? {
            StorePlace::Sqlite(place) => Kept::File(InFile::new(file(label, place)?, label.into())),
            StorePlace::Redis(address) => Kept::Redis(InRedis::new(address.clone())),
            StorePlace::Postgres => {
                let shared = self.shared.as_ref().ok_or_else(|| StoresError::NoDatabase(label.to_owned()))?;
                Kept::Postgres(InPostgres::new(shared, label))
            }
        };
        open.insert(label.to_owned(), kept.clone());
        Ok(kept)
    }
}

fn file(label: &str, place: &Place) -> Result<StoreFile, StoresError> {
    StoreFile::open(place).map_err(|source| {
        let path = place.path().map(PathBuf::from).unwrap_or_default();
        StoresError::Open { label: label.to_owned(), path, source }
    })
}
