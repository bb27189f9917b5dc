//! A store, and what can be done with it, wherever it is kept.

use super::{Failure, in_file::InFile, in_postgres::InPostgres, redis::InRedis, swap::Swapped};
use crate::limits::{KEY_VALUE_KEY_BYTES, KEY_VALUE_KEYS_AT_ONCE, KEY_VALUE_VALUE_BYTES};

/// A store of one name. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    kept: Kept,
    answer_bytes: usize,
}

/// Where it is kept.
#[derive(Clone)]
pub(super) enum Kept {
    /// In a file of SQLite.
    File(InFile),
    /// On a Redis server.
    Redis(InRedis),
    /// In the host's own database.
    Postgres(InPostgres),
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
    /// The store that is kept there. One answer may have so many bytes.
    pub(super) fn new(kept: Kept, answer_bytes: usize) -> Self {
        Self { kept, answer_bytes }
    }

    /// The value of `key`, if there is such a key.
    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Failure> {
        match &self.kept {
            Kept::File(file) => file.get(key).await,
            Kept::Redis(redis) => redis.get(key).await,
            Kept::Postgres(postgres) => postgres.get(key).await,
        }
    }

    /// Whether there is such a key.
    pub async fn exists(&self, key: String) -> Result<bool, Failure> {
        match &self.kept {
            Kept::File(file) => file.exists(key).await,
            Kept::Redis(redis) => redis.exists(key).await,
            Kept::Postgres(postgres) => postgres.exists(key).await,
        }
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
        // One more than is answered tells whether there is more.
        let count = KEY_VALUE_KEYS_AT_ONCE.saturating_add(1);
        let mut keys = match &self.kept {
            Kept::File(file) => file.page(cursor, count).await?,
            Kept::Redis(redis) => redis.page(cursor.as_deref(), count).await?,
            Kept::Postgres(postgres) => postgres.page(cursor, count).await?,
        };
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
            check_answer(bytes, self.answer_bytes)?;
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
        match &self.kept {
            Kept::File(file) => file.get_many(keys, self.answer_bytes).await,
            Kept::Postgres(postgres) => postgres.get_many(keys, self.answer_bytes).await,
            Kept::Redis(redis) => {
                let values = redis.get_many(&keys, self.answer_bytes).await?;
                let values_bytes = values.iter().flatten().map(Vec::len).sum::<usize>();
                check_answer(keys.iter().map(String::len).sum::<usize>() + values_bytes, self.answer_bytes)?;
                Ok(keys.into_iter().zip(values).collect())
            }
        }
    }

    /// Sets several values, all or none.
    pub async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        check_count(entries.len())?;
        entries.iter().try_for_each(|(key, value)| check_entry(key, value))?;
        match &self.kept {
            Kept::File(file) => file.set_many(entries).await,
            Kept::Redis(redis) => redis.set_many(entries).await,
            Kept::Postgres(postgres) => postgres.set_many(entries).await,
        }
    }

    /// Removes several keys, all or none.
    pub async fn delete_many(&self, keys: Vec<String>) -> Result<(), Failure> {
        check_count(keys.len())?;
        match &self.kept {
            Kept::File(file) => file.delete_many(keys).await,
            Kept::Redis(redis) => redis.delete_many(keys).await,
            Kept::Postgres(postgres) => postgres.delete_many(keys).await,
        }
    }

    /// Adds to the number that `key` holds, 0 where there is none, and returns the sum. Numbers are kept as Spin keeps them there.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64, Failure> {
        check_entry(&key, &[])?;
        match &self.kept {
            Kept::File(file) => file.increment(key, delta).await,
            Kept::Redis(redis) => redis.increment(key, delta).await,
            Kept::Postgres(postgres) => postgres.increment(key, delta).await,
        }
    }

    /// Sets the value of `key` if its hash still is this one, `None` where there was no such key.
    pub(super) async fn swap(&self, key: String, hash: Option<String>, value: Vec<u8>) -> Result<Swapped, Failure> {
        check_entry(&key, &value)?;
        match &self.kept {
            Kept::File(file) => file.swap(key, hash, value).await,
            Kept::Redis(redis) => redis.swap(key, hash, value).await,
            Kept::Postgres(postgres) => postgres.swap(key, hash, value).await,
        }
    }
}

/// Whether an answer of so many bytes may be given.
pub(super) fn check_answer(bytes: usize, limit: usize) -> Result<(), Failure> {
    if bytes > limit {
        return Err(refused(&format!("the answer is larger than limits.query_bytes ({limit} bytes); ask for less")));
    }
    Ok(())
}

/// Whether key and value are small enough to be kept.
fn check_entry(key: &str, value: &[u8]) -> Result<(), Failure> {
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

pub(super) fn refused(why: &str) -> Failure {
    Failure::Refused(why.to_owned())
}
