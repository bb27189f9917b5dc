//! Compare and swap: a value is replaced if it still is what it was.

use super::{Failure, Store};
use crate::digest::sha256;

/// What became of a swap.
pub(super) enum Swapped {
    /// The value was set.
    Done,
    /// It was not what it should have been; this is the hash of what it is, if there is such a key.
    Not(Option<String>),
}

/// What the value of a key was. Of the value itself only the hash is kept, since a guest may hold many of these.
pub struct Remembered {
    store: Store,
    key: String,
    hash: Option<String>,
}

impl Remembered {
    /// Remembers the value that `key` has now.
    pub async fn new(store: Store, key: String) -> Result<Self, Failure> {
        let value = store.get(key.clone()).await?;
        Ok(Self { store, key, hash: value.map(sha256) })
    }

    /// Where the value is.
    pub fn place(&self) -> (Store, String) {
        (self.store.clone(), self.key.clone())
    }

    /// Remembers this value instead.
    pub fn see(&mut self, value: Option<&[u8]>) {
        self.hash = value.map(sha256);
    }

    /// Sets the value if it still is the remembered one; else returns what it is now.
    pub async fn swap(self, value: Vec<u8>) -> Result<Option<Self>, Failure> {
        let Self { store, key, hash } = self;
        match store.swap(key.clone(), hash, value).await? {
            Swapped::Done => Ok(None),
            Swapped::Not(hash) => Ok(Some(Self { store, key, hash })),
        }
    }
}
