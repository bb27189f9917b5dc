//! Compare and swap: a value is replaced if it still is what it was.

use rusqlite::Connection;

use super::{
    Failure, Store,
    store::{begin, check_entry, put, value_of},
};
use crate::digest::sha256;

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
        check_entry(&self.key, &value)?;
        let Self { store, key, hash } = self;
        let file = store.file.clone();
        let swap = move |connection: &mut Connection| {
            let transaction = begin(connection)?;
            let found = value_of(&transaction, &store.label, &key)?.map(sha256);
            if found != hash {
                drop(transaction);
                return Ok(Some(Self { store, key, hash: found }));
            }
            put(&transaction, &store.label, &key, &value)?;
            transaction.commit()?;
            Ok(None)
        };
        file.write(swap).await
    }
}
