//! A store, and what can be done with it.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{Failure, file::StoreFile};
use crate::limits::{KEY_VALUE_KEY_BYTES, KEY_VALUE_KEYS_AT_ONCE, KEY_VALUE_VALUE_BYTES};

const GET: &str = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";
const SET: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
    ON CONFLICT (store, key) DO UPDATE SET value = excluded.value";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";
const FIRST_PAGE: &str = "SELECT key FROM spin_key_value WHERE store = ?1 AND key >= ?2 ORDER BY key LIMIT ?3";
const NEXT_PAGE: &str = "SELECT key FROM spin_key_value WHERE store = ?1 AND key > ?2 ORDER BY key LIMIT ?3";

/// A store of one name. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    pub(super) file: StoreFile,
    /// Its name, for a file may hold several stores.
    pub(super) label: Arc<str>,
    answer_bytes: usize,
}

/// Keys with their values, `None` for a key that is not there.
pub type Found = Vec<(String, Option<Vec<u8>>)>;

/// Some keys, and where to go on if they were not the last.
pub struct Page {
    /// The keys, in their order.
    pub keys: Vec<String>,
    /// The last one of them, if there are more.
    pub cursor: Option<String>,
}

impl Store {
    /// The store of this name in a file.
    pub fn new(file: StoreFile, label: Arc<str>, answer_bytes: usize) -> Self {
        Self { file, label, answer_bytes }
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

    /// Sets the value of `key`.
    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<(), Failure> {
        self.set_many(vec![(key, value)]).await
    }

    /// Removes `key`, if there is such a key.
    pub async fn delete(&self, key: String) -> Result<(), Failure> {
        self.delete_many(vec![key]).await
    }

    /// Keys in their order, those after `cursor` where it is given.
    pub async fn page(&self, cursor: Option<String>) -> Result<Page, Failure> {
        let label = self.label.clone();
        let page = move |connection: &mut Connection| {
            let statement = if cursor.is_some() { NEXT_PAGE } else { FIRST_PAGE };
            // One more than is answered tells whether there is more.
            let count = i64::try_from(KEY_VALUE_KEYS_AT_ONCE).unwrap_or(i64::MAX).saturating_add(1);
            let parameters = params![&*label, cursor.unwrap_or_default(), count];
            let mut statement = connection.prepare_cached(statement)?;
            let keys = statement.query_map(parameters, |row| row.get::<_, String>(0))?;
            Ok(keys.collect::<Result<Vec<_>, _>>()?)
        };
        let mut keys = self.file.read(page).await?;
        let more = keys.len() > KEY_VALUE_KEYS_AT_ONCE;
        keys.truncate(KEY_VALUE_KEYS_AT_ONCE);
        let cursor = keys.last().filter(|_| more).cloned();
        Ok(Page { keys, cursor })
    }

    /// All keys.
    ///
    /// # Errors
    /// Also when they are larger than one answer may be.
    pub async fn keys(&self) -> Result<Vec<String>, Failure> {
        let (mut keys, mut bytes, mut cursor) = (Vec::new(), 0, None);
        loop {
            let page = self.page(cursor).await?;
            bytes += page.keys.iter().map(|key| size_of::<String>() + key.len()).sum::<usize>();
            self.check_answer(bytes)?;
            keys.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_none() {
                return Ok(keys);
            }
        }
    }

    /// The values of several keys, in the order of the keys.
    ///
    /// # Errors
    /// Also when they are larger than one answer may be.
    pub async fn get_many(&self, keys: Vec<String>) -> Result<Found, Failure> {
        check_count(keys.len())?;
        let store = self.clone();
        let get = move |connection: &mut Connection| {
            let mut bytes = 0;
            let found = keys.into_iter().map(|key| {
                let value = value_of(connection, &store.label, &key)?;
                bytes += key.len() + value.as_ref().map_or(0, Vec::len);
                store.check_answer(bytes)?;
                Ok((key, value))
            });
            found.collect()
        };
        self.file.read(get).await
    }

    /// Sets several values, all or none.
    pub async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        check_count(entries.len())?;
        entries.iter().try_for_each(|(key, value)| check_entry(key, value))?;
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
        check_count(keys.len())?;
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
        check_entry(&key, &[])?;
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

    fn check_answer(&self, bytes: usize) -> Result<(), Failure> {
        match self.answer_bytes {
            limit if bytes > limit => {
                Err(refused(&format!("the answer is larger than limits.query_bytes ({limit} bytes); ask for less")))
            }
            _ => Ok(()),
        }
    }
}

/// Begins to write. Whoever reads first and writes then may find that another one wrote in between.
pub(super) fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// The value of a key.
pub(super) fn value_of(connection: &Connection, label: &str, key: &str) -> Result<Option<Vec<u8>>, Failure> {
    Ok(connection.prepare_cached(GET)?.query_row(params![label, key], |row| row.get(0)).optional()?)
}

/// Sets the value of a key.
pub(super) fn put(connection: &Connection, label: &str, key: &str, value: &[u8]) -> Result<(), Failure> {
    connection.prepare_cached(SET)?.execute(params![label, key, value])?;
    Ok(())
}

/// Whether key and value are small enough to be kept.
pub(super) fn check_entry(key: &str, value: &[u8]) -> Result<(), Failure> {
    if key.len() > KEY_VALUE_KEY_BYTES {
        return Err(refused(&format!("a key has at most {KEY_VALUE_KEY_BYTES} bytes")));
    }
    if value.len() > KEY_VALUE_VALUE_BYTES {
        return Err(refused(&format!("a value has at most {KEY_VALUE_VALUE_BYTES} bytes")));
    }
    Ok(())
}

fn check_count(count: usize) -> Result<(), Failure> {
    if count > KEY_VALUE_KEYS_AT_ONCE {
        return Err(refused(&format!("one call names at most {KEY_VALUE_KEYS_AT_ONCE} keys")));
    }
    Ok(())
}

fn refused(why: &str) -> Failure {
    Failure::Refused(why.to_owned())
}
