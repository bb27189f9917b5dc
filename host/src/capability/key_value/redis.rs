//! A store on a Redis server, as Spin keeps one there: each key of the store is a key of the server's database, each value its text, and a
//! number its digits.
//!
//! It is the operator's server, and its database the store: two stores at one address are the same.

mod server;

use std::collections::BTreeSet;

use futures::FutureExt;
use redis::{Cmd, ServerError, Value, cmd};

use super::{Failure, swap::Swapped};
use crate::{
    digest::sha256,
    limits::{KEY_VALUE_KEYS_AT_ONCE, KEY_VALUE_VALUE_BYTES, REDIS_BYTES_AROUND_VALUE, REDIS_REPLY_BYTES},
    redis_connection::{RedisAddress, RedisConnection, RedisFault, told},
};
use server::Server;

/// A store on a server. Clones are the same store.
#[derive(Clone)]
pub struct InRedis(Server);

impl InRedis {
    /// The store at this address. Nothing is connected to before it is asked something. It works on the runtime that this is called on.
    pub fn new(address: RedisAddress) -> Self {
        Self(Server::new(address))
    }

    /// The value of `key`, if there is such a key.
    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Failure> {
        let mut get = cmd("GET");
        get.arg(key);
        bytes(self.ask(get, value_bytes(KEY_VALUE_VALUE_BYTES, 1)).await?)
    }

    /// Whether there is such a key.
    pub async fn exists(&self, key: String) -> Result<bool, Failure> {
        let mut exists = cmd("EXISTS");
        exists.arg(key);
        Ok(self.ask(exists, REDIS_REPLY_BYTES).await? == Value::Int(1))
    }

    /// The first keys in their order, so many at most, of those after `cursor` where it is given. The server has no order: it is
    /// asked for all of them, and no more are held than are answered. Keys that are no text, no guest can name.
    pub async fn page(&self, cursor: Option<&str>, count: usize) -> Result<Vec<String>, Failure> {
        let mut first = BTreeSet::new();
        let mut place = "0".to_owned();
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(&place).arg("COUNT").arg(KEY_VALUE_KEYS_AT_ONCE);
            let (next, keys) =
                scanned(self.ask(scan, value_bytes(KEY_VALUE_VALUE_BYTES, KEY_VALUE_KEYS_AT_ONCE)).await?)?;
            for key in keys.into_iter().filter(|key| cursor.is_none_or(|cursor| key.as_str() > cursor)) {
                first.insert(key);
                if first.len() > count {
                    first.pop_last();
                }
            }
            if next == "0" {
                return Ok(first.into_iter().collect());
            }
            place = next;
        }
    }

    /// The values of several keys, in the order of the keys. On the wire they may have so many bytes together.
    pub async fn get_many(&self, keys: &[String], answer_bytes: usize) -> Result<Vec<Option<Vec<u8>>>, Failure> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = cmd("MGET");
        get.arg(keys);
        match self.ask(get, value_bytes(answer_bytes, keys.len())).await? {
            Value::Array(values) => values.into_iter().map(bytes).collect(),
            other => Err(strange(&other)),
        }
    }

    /// Sets several values, all or none.
    pub async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut set = cmd("MSET");
        for (key, value) in entries {
            set.arg(key).arg(value);
        }
        self.ask(set, REDIS_REPLY_BYTES).await.map(drop)
    }

    /// Removes several keys, all or none.
    pub async fn delete_many(&self, keys: Vec<String>) -> Result<(), Failure> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut delete = cmd("DEL");
        delete.arg(keys);
        self.ask(delete, REDIS_REPLY_BYTES).await.map(drop)
    }

    /// Adds to the number that `key` holds, 0 where there is none, and returns the sum.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64, Failure> {
        let mut increment = cmd("INCRBY");
        increment.arg(key).arg(delta);
        match self.ask(increment, REDIS_REPLY_BYTES).await? {
            Value::Int(sum) => Ok(sum),
            other => Err(strange(&other)),
        }
    }

    /// Sets the value of `key` if its hash still is this one.
    pub async fn swap(&self, key: String, hash: Option<String>, value: Vec<u8>) -> Result<Swapped, Failure> {
        self.0.on(move |connection| async move { swap(connection, &key, hash, &value).await }.boxed()).await?
    }

    /// Runs a command whose answer may have so many bytes on the wire.
    async fn ask(&self, command: Cmd, most_bytes: u64) -> Result<Value, Failure> {
        self.0.on(move |connection| async move { ask(connection, &command, most_bytes).await }.boxed()).await?
    }
}

/// A command's answer; that the server refuses it is among the failures.
async fn ask(
    connection: &mut RedisConnection,
    command: &Cmd,
    most_bytes: u64,
) -> Result<Result<Value, Failure>, RedisFault> {
    Ok(match connection.exchange(command, most_bytes).await? {
        Value::ServerError(error) => Err(Failure::from(&error)),
        value => Ok(value),
    })
}

/// Watches the key while its value is looked at: what is written in between keeps the transaction from taking place.
async fn swap(
    connection: &mut RedisConnection,
    key: &str,
    hash: Option<String>,
    value: &[u8],
) -> Result<Result<Swapped, Failure>, RedisFault> {
    let most_bytes = value_bytes(KEY_VALUE_VALUE_BYTES, 1);
    loop {
        if let Err(failure) = ask(connection, cmd("WATCH").arg(key), REDIS_REPLY_BYTES).await? {
            return Ok(Err(failure));
        }
        let found = match ask(connection, cmd("GET").arg(key), most_bytes).await?.and_then(bytes) {
            Ok(found) => found.map(sha256),
            Err(failure) => {
                connection.exchange(&cmd("UNWATCH"), REDIS_REPLY_BYTES).await?;
                return Ok(Err(failure));
            }
        };
        if found != hash {
            connection.exchange(&cmd("UNWATCH"), REDIS_REPLY_BYTES).await?;
            return Ok(Ok(Swapped::Not(found)));
        }
        if let Err(failure) = ask(connection, &cmd("MULTI"), REDIS_REPLY_BYTES).await? {
            connection.exchange(&cmd("UNWATCH"), REDIS_REPLY_BYTES).await?;
            return Ok(Err(failure));
        }
        if let Err(failure) = ask(connection, cmd("SET").arg(key).arg(value), REDIS_REPLY_BYTES).await? {
            connection.exchange(&cmd("DISCARD"), REDIS_REPLY_BYTES).await?;
            return Ok(Err(failure));
        }
        match ask(connection, &cmd("EXEC"), REDIS_REPLY_BYTES).await? {
            // Somebody was quicker; what is there now is looked at once more.
            Ok(Value::Nil) => {}
            Ok(Value::Array(answers)) => {
                let refused = answers.iter().find_map(|answer| match answer {
                    Value::ServerError(error) => Some(Failure::from(error)),
                    _ => None,
                });
                return Ok(refused.map_or(Ok(Swapped::Done), Err));
            }
            Ok(other) => return Ok(Err(strange(&other))),
            Err(failure) => return Ok(Err(failure)),
        }
    }
}

/// How many bytes some values take on the wire that have so many themselves.
fn value_bytes(bytes: usize, count: usize) -> u64 {
    let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    number(bytes)
        .saturating_add(number(count).saturating_mul(REDIS_BYTES_AROUND_VALUE))
        .saturating_add(REDIS_BYTES_AROUND_VALUE)
}

fn bytes(value: Value) -> Result<Option<Vec<u8>>, Failure> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        other => Err(strange(&other)),
    }
}

/// Where to go on, and some keys.
fn scanned(value: Value) -> Result<(String, Vec<String>), Failure> {
    let text = |value: Value| match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        _ => None,
    };
    if let Value::Array(parts) = value
        && let Ok([next, Value::Array(keys)]) = <[Value; 2]>::try_from(parts)
        && let Some(next) = text(next)
    {
        return Ok((next, keys.into_iter().filter_map(text).collect()));
    }
    Err(strange(&Value::Nil))
}

fn strange(value: &Value) -> Failure {
    // The value itself is nobody's business.
    tracing::error!(kind = ?std::mem::discriminant(value), "Redis answered a key-value store with what is no answer to that");
    Failure::Broken
}

impl From<&ServerError> for Failure {
    fn from(error: &ServerError) -> Self {
        match error.code() {
            "OOM" => Self::Full,
            // Of another type, no number, no sum of 64 bits: the guest's own doing.
            "WRONGTYPE" | "ERR" => Self::Refused(told(error)),
            _ => {
                tracing::error!(error = told(error), "a key-value store on Redis failed");
                Self::Broken
            }
        }
    }
}

impl From<RedisFault> for Failure {
    fn from(fault: RedisFault) -> Self {
        match fault {
            RedisFault::TooLarge(_) | RedisFault::TooMany => Self::Refused(format!("{fault}; ask for less")),
            fault => {
                tracing::error!(error = %fault, "a key-value store on Redis failed");
                Self::Broken
            }
        }
    }
}
