//! A store in the host's own database, which the hosts of one server share.

use std::{collections::BTreeMap, sync::Arc};

use sqlx::{PgPool, Postgres, Transaction};
use tokio::runtime::Handle;

use super::{
    Failure,
    store::{Found, check_answer, refused},
    swap::Swapped,
};
use crate::{digest::sha256, limits::KEY_VALUE_TIME};

const GET: &str = "SELECT value FROM key_values WHERE (application, store, key) = ($1, $2, $3)";
const GET_LOCKED: &str = "
SELECT value FROM key_values WHERE (application, store, key) = ($1, $2, $3) FOR UPDATE";
const EXISTS: &str = "SELECT EXISTS (SELECT FROM key_values WHERE (application, store, key) = ($1, $2, $3))";
const FIRST_PAGE: &str = "
SELECT key FROM key_values WHERE (application, store) = ($1, $2) AND key >= $3 ORDER BY key LIMIT $4";
const NEXT_PAGE: &str = "
SELECT key FROM key_values WHERE (application, store) = ($1, $2) AND key > $3 ORDER BY key LIMIT $4";
const BYTES: &str = "
SELECT coalesce(sum(octet_length(key) + octet_length(value)), 0)::bigint FROM key_values
WHERE (application, store) = ($1, $2) AND key = ANY ($3)";
const GET_MANY: &str = "
SELECT key, value FROM key_values WHERE (application, store) = ($1, $2) AND key = ANY ($3)";
const SET_MANY: &str = "
INSERT INTO key_values (application, store, key, value) SELECT $1, $2, * FROM unnest($3::text[], $4::bytea[])
ON CONFLICT (application, store, key) DO UPDATE SET value = excluded.value";
/// In the order of the keys, as they are set, so that nobody waits for one who waits for them.
const DELETE_MANY: &str = "
WITH gone AS (
    SELECT key FROM key_values WHERE (application, store) = ($1, $2) AND key = ANY ($3) ORDER BY key FOR UPDATE
)
DELETE FROM key_values USING gone WHERE (application, store) = ($1, $2) AND key_values.key = gone.key";
const ADD: &str = "
INSERT INTO key_values (application, store, key, value) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const UPDATE: &str = "
UPDATE key_values SET value = $4 WHERE (application, store, key) = ($1, $2, $3)";

/// A store of one name of one application. Clones are the same store.
#[derive(Clone)]
pub struct InPostgres {
    rows: Arc<Rows>,
    /// Where the connections live: those of one thread that serves would be of use to no other while that is busy.
    runtime: Handle,
}

/// Where the rows of an application's stores are.
#[derive(Clone)]
pub struct SharedRows {
    /// Connections to the host's own database, apart from those that the host needs itself.
    pub pool: PgPool,
    /// The application's name.
    pub application: String,
}

/// The rows of one store.
struct Rows {
    pool: PgPool,
    application: String,
    label: String,
}

impl InPostgres {
    /// The store of this name. It works on the runtime that this is called on.
    pub fn new(shared: &SharedRows, label: &str) -> Self {
        let SharedRows { pool, application } = shared.clone();
        let rows = Rows { pool, application, label: label.to_owned() };
        Self { rows: Arc::new(rows), runtime: Handle::current() }
    }

    /// The value of `key`, if there is such a key.
    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Failure> {
        self.aside(|rows| async move { rows.get(key).await }).await
    }

    /// Whether there is such a key.
    pub async fn exists(&self, key: String) -> Result<bool, Failure> {
        self.aside(|rows| async move { rows.exists(key).await }).await
    }

    /// The first keys in their order, so many at most, of those after `cursor` where it is given.
    pub async fn page(&self, cursor: Option<String>, count: usize) -> Result<Vec<String>, Failure> {
        self.aside(move |rows| async move { rows.page(cursor, count).await }).await
    }

    /// The values of several keys, in the order of the keys, which may have so many bytes together.
    pub async fn get_many(&self, keys: Vec<String>, answer_bytes: usize) -> Result<Found, Failure> {
        self.aside(move |rows| async move { rows.get_many(keys, answer_bytes).await }).await
    }

    /// Sets several values, all or none.
    pub async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        self.aside(|rows| async move { rows.set_many(entries).await }).await
    }

    /// Removes several keys, all or none.
    pub async fn delete_many(&self, keys: Vec<String>) -> Result<(), Failure> {
        self.aside(|rows| async move { rows.delete_many(keys).await }).await
    }

    /// Adds to the number that `key` holds, 0 where there is none, and returns the sum. Numbers are kept as in a file: 64 bits, the
    /// lowest byte first.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64, Failure> {
        self.aside(move |rows| async move { rows.increment(key, delta).await }).await
    }

    /// Sets the value of `key` if its hash still is this one.
    pub async fn swap(&self, key: String, hash: Option<String>, value: Vec<u8>) -> Result<Swapped, Failure> {
        self.aside(|rows| async move { rows.swap(key, hash, value).await }).await
    }

    /// Works on the store's own runtime. It ends even if nobody waits for it any more.
    async fn aside<R, F>(&self, work: impl FnOnce(Arc<Rows>) -> F) -> Result<R, Failure>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, Failure>> + Send + 'static,
    {
        // Whoever holds a key, on a host that is cut off perhaps, holds up nobody for longer.
        let work = tokio::time::timeout(KEY_VALUE_TIME, work(self.rows.clone()));
        match self.runtime.spawn(work).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => {
                tracing::error!("a key-value store in PostgreSQL did not answer in time");
                Err(Failure::Broken)
            }
            Err(error) => {
                tracing::error!(%error, "work on a key-value store was interrupted");
                Err(Failure::Broken)
            }
        }
    }
}

impl Rows {
    async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Failure> {
        check_key(&key)?;
        let get = sqlx::query_scalar(GET).bind(&self.application).bind(&self.label).bind(key);
        Ok(get.fetch_optional(&self.pool).await?)
    }

    async fn exists(&self, key: String) -> Result<bool, Failure> {
        check_key(&key)?;
        let exists = sqlx::query_scalar(EXISTS).bind(&self.application).bind(&self.label).bind(key);
        Ok(exists.fetch_one(&self.pool).await?)
    }

    async fn page(&self, cursor: Option<String>, count: usize) -> Result<Vec<String>, Failure> {
        let page = sqlx::query_scalar(if cursor.is_some() { NEXT_PAGE } else { FIRST_PAGE })
            .bind(&self.application)
            .bind(&self.label)
            .bind(cursor.unwrap_or_default())
            .bind(i64::try_from(count).unwrap_or(i64::MAX));
        Ok(page.fetch_all(&self.pool).await?)
    }

    async fn get_many(&self, keys: Vec<String>, answer_bytes: usize) -> Result<Found, Failure> {
        keys.iter().try_for_each(|key| check_key(key))?;
        let mut transaction = self.pool.begin().await?;
        // What is counted is what is read.
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *transaction).await?;
        let bytes: i64 = sqlx::query_scalar(BYTES)
            .bind(&self.application)
            .bind(&self.label)
            .bind(&keys)
            .fetch_one(&mut *transaction)
            .await?;
        check_answer(usize::try_from(bytes).unwrap_or(usize::MAX), answer_bytes)?;
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(GET_MANY)
            .bind(&self.application)
            .bind(&self.label)
            .bind(&keys)
            .fetch_all(&mut *transaction)
            .await?;
        let values: BTreeMap<String, Vec<u8>> = rows.into_iter().collect();
        // A key that is asked for twice is answered twice.
        let bytes = keys.iter().map(|key| key.len() + values.get(key).map_or(0, Vec::len)).sum();
        check_answer(bytes, answer_bytes)?;
        Ok(keys.into_iter().map(|key| (key.clone(), values.get(&key).cloned())).collect())
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Failure> {
        keys.iter().try_for_each(|key| check_key(key))?;
        let delete = sqlx::query(DELETE_MANY).bind(&self.application).bind(&self.label).bind(keys);
        delete.execute(&self.pool).await?;
        Ok(())
    }

    async fn increment(&self, key: String, delta: i64) -> Result<i64, Failure> {
        check_key(&key)?;
        let mut transaction = self.pool.begin().await?;
        let value = loop {
            self.change(&mut transaction, ADD, &key, &0_i64.to_le_bytes()).await?;
            // Somebody may have removed it since.
            if let Some(value) = self.locked(&mut transaction, &key).await? {
                break value;
            }
        };
        let number = i64::from_le_bytes(value.try_into().map_err(|_| refused("the value is no number"))?);
        let sum = number.checked_add(delta).ok_or_else(|| refused("the sum is no number of 64 bits"))?;
        self.change(&mut transaction, UPDATE, &key, &sum.to_le_bytes()).await?;
        transaction.commit().await?;
        Ok(sum)
    }

    async fn swap(&self, key: String, hash: Option<String>, value: Vec<u8>) -> Result<Swapped, Failure> {
        check_key(&key)?;
        let mut transaction = self.pool.begin().await?;
        if hash.is_none() && self.change(&mut transaction, ADD, &key, &value).await? == 1 {
            transaction.commit().await?;
            return Ok(Swapped::Done);
        }
        let found = self.locked(&mut transaction, &key).await?.map(sha256);
        if hash.is_none() || found != hash {
            return Ok(Swapped::Not(found));
        }
        self.change(&mut transaction, UPDATE, &key, &value).await?;
        transaction.commit().await?;
        Ok(Swapped::Done)
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        // Of a key that stands there twice, the last value counts; the order keeps two who set the same keys from waiting for each other.
        let last: BTreeMap<String, Vec<u8>> = entries.into_iter().collect();
        let (keys, values): (Vec<_>, Vec<_>) = last.into_iter().unzip();
        keys.iter().try_for_each(|key| check_key(key))?;
        let set = sqlx::query(SET_MANY).bind(&self.application).bind(&self.label).bind(keys).bind(values);
        set.execute(&self.pool).await?;
        Ok(())
    }

    /// The value of a key, which nobody changes before the transaction ends.
    async fn locked(&self, transaction: &mut Transaction<'_, Postgres>, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        let get = sqlx::query_scalar(GET_LOCKED).bind(&self.application).bind(&self.label).bind(key);
        Ok(get.fetch_optional(&mut **transaction).await?)
    }

    /// How many rows a statement changes that says what a key's value is.
    async fn change(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        statement: &'static str,
        key: &str,
        value: &[u8],
    ) -> Result<u64, Failure> {
        let change = sqlx::query(statement).bind(&self.application).bind(&self.label).bind(key).bind(value);
        Ok(change.execute(&mut **transaction).await?.rows_affected())
    }
}

/// Whether PostgreSQL can keep this key.
fn check_key(key: &str) -> Result<(), Failure> {
    match key.contains('\0') {
        true => Err(refused("a key in PostgreSQL has no character 0")),
        false => Ok(()),
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let full = error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "53100");
        if full {
            return Self::Full;
        }
        tracing::error!(%error, "a key-value store in PostgreSQL failed");
        Self::Broken
    }
}
