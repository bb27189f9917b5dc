//! A store in a file of SQLite.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{
    Failure,
    file::StoreFile,
    store::{Found, check_answer, refused},
    swap::Swapped,
};
use crate::digest::sha256;

const GET: &str = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";
const SET: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
    ON CONFLICT (store, key) DO UPDATE SET value = excluded.value";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";
const FIRST_PAGE: &str = "SELECT key FROM spin_key_value WHERE store = ?1 AND key >= ?2 ORDER BY key LIMIT ?3";
const NEXT_PAGE: &str = "SELECT key FROM spin_key_value WHERE store = ?1 AND key > ?2 ORDER BY key LIMIT ?3";

/// A store of one name in a file. Clones are the same store.
#[derive(Clone)]
pub struct InFile {
    file: StoreFile,
    /// Its name, for a file may hold several stores.
    label: Arc<str>,
}

impl InFile {
    /// The store of this name in a file.
    pub fn new(file: StoreFile, label: Arc<str>) -> Self {
        Self { file, label }
    }

    /// The value of `key`, if there is such a key.
    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Failure> {
        let label = self.label.clone();
        self.file.read(move |connection| value_of(connection, &label, &key)).await
    }

    /// Whether there is such a key.
    pub async fn exists(&self, key: String) -> Result<bool, Failure> {
        let label = self.label.clone();
        let exists =
            move |connection: &mut Connection| Ok(connection.prepare_cached(GET)?.exists(params![&*label, key])?);
        self.file.read(exists).await
    }

    /// The first keys in their order, so many at most, of those after `cursor` where it is given.
    pub async fn page(&self, cursor: Option<String>, count: usize) -> Result<Vec<String>, Failure> {
        let label = self.label.clone();
        let page = move |connection: &mut Connection| {
            let statement = if cursor.is_some() { NEXT_PAGE } else { FIRST_PAGE };
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let parameters = params![&*label, cursor.unwrap_or_default(), count];
            let mut statement = connection.prepare_cached(statement)?;
            let keys = statement.query_map(parameters, |row| row.get::<_, String>(0))?;
            Ok(keys.collect::<Result<Vec<_>, _>>()?)
        };
        self.file.read(page).await
    }

    /// The values of several keys, in the order of the keys, which may have so many bytes together.
    pub async fn get_many(&self, keys: Vec<String>, answer_bytes: usize) -> Result<Found, Failure> {
        let label = self.label.clone();
        let get = move |connection: &mut Connection| {
            let mut bytes = 0;
            let found = keys.into_iter().map(|key| {
                let value = value_of(connection, &label, &key)?;
                bytes += key.len() + value.as_ref().map_or(0, Vec::len);
                check_answer(bytes, answer_bytes)?;
                Ok((key, value))
            });
            found.collect()
        };
        self.file.read(get).await
    }

    /// Sets several values, all or none.
    pub async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        let label = self.label.clone();
        let set = move |connection: &mut Connection| {
            let transaction = begin(connection)?;
            for (key, value) in &entries {
                put(&transaction, &label, key, value)?;
            }
            Ok(transaction.commit()?)
        };
        self.file.write(set).await
    }

    /// Removes several keys, all or none.
    pub async fn delete_many(&self, keys: Vec<String>) -> Result<(), Failure> {
        let label = self.label.clone();
        let delete = move |connection: &mut Connection| {
            let transaction = begin(connection)?;
            for key in &keys {
                transaction.prepare_cached(DELETE)?.execute(params![&*label, key])?;
            }
            Ok(transaction.commit()?)
        };
        self.file.write(delete).await
    }

    /// Adds to the number that `key` holds, 0 where there is none, and returns the sum. Numbers are kept as Spin keeps them:
    /// 64 bits, the lowest byte first.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64, Failure> {
        let label = self.label.clone();
        let increment = move |connection: &mut Connection| {
            let transaction = begin(connection)?;
            let number = match value_of(&transaction, &label, &key)? {
                Some(value) => i64::from_le_bytes(value.try_into().map_err(|_| refused("the value is no number"))?),
                None => 0,
            };
            let sum = number.checked_add(delta).ok_or_else(|| refused("the sum is no number of 64 bits"))?;
            put(&transaction, &label, &key, &sum.to_le_bytes())?;
            transaction.commit()?;
            Ok(sum)
        };
        self.file.write(increment).await
    }

    /// Sets the value of `key` if its hash still is this one.
    pub async fn swap(&self, key: String, hash: Option<String>, value: Vec<u8>) -> Result<Swapped, Failure> {
        let label = self.label.clone();
        let swap = move |connection: &mut Connection| {
            let transaction = begin(connection)?;
            let found = value_of(&transaction, &label, &key)?.map(sha256);
            if found != hash {
                return Ok(Swapped::Not(found));
            }
            put(&transaction, &label, &key, &value)?;
            transaction.commit()?;
            Ok(Swapped::Done)
        };
        self.file.write(swap).await
    }
}

/// Begins to write. Whoever reads first and writes then may find that another one wrote in between.
fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// The value of a key.
fn value_of(connection: &Connection, label: &str, key: &str) -> Result<Option<Vec<u8>>, Failure> {
    Ok(connection.prepare_cached(GET)?.query_row(params![label, key], |row| row.get(0)).optional()?)
}

/// Sets the value of a key.
fn put(connection: &Connection, label: &str, key: &str, value: &[u8]) -> Result<(), Failure> {
    connection.prepare_cached(SET)?.execute(params![label, key, value])?;
    Ok(())
}
