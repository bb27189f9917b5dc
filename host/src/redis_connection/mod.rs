//! A connection to a Redis server, on which one exchange follows the other.
//!
//! The crate `redis` writes commands and reads answers (RESP2); the socket, its encryption and every bound are the host's own, so
//! that an answer is never read further than it may be, and what is not read stays with the server.

mod address;
mod count;
#[cfg(test)]
pub(crate) mod fake;
mod idle;
mod stream;
#[cfg(test)]
mod tests;

pub use self::{
    address::{RedisAddress, RedisAddressError},
    idle::IdleConnection,
};

use std::time::Duration;

use combine::{
    parser::combinator::AnySendSyncPartialState,
    stream::{Decoder, PointerOffset},
};
use redis::{Cmd, ServerError, Value, cmd, parse_redis_value_async};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout},
};

use self::{count::Counting, stream::Stream};
use crate::{
    blocked_networks::BlockedNetworks,
    limits::{REDIS_ANSWER_ELEMENTS, REDIS_CONNECT_TIME, REDIS_REPLY_BYTES},
};

/// A connection that is logged in.
///
/// Whoever stops waiting in the midst of an exchange must drop it: the answer would be taken for that to the next command.
pub struct RedisConnection {
    stream: Counting<Stream>,
    /// Bytes that were read and not yet asked for.
    decoder: Decoder<AnySendSyncPartialState, PointerOffset<[u8]>>,
    /// How many bytes had been read when the last value had come.
    began_at: u64,
}

/// Why there is no connection, or none any more. None of them carries a password.
#[derive(Debug, thiserror::Error)]
pub enum RedisFault {
    /// Nobody is there.
    #[error("cannot connect to {address}: {reason}")]
    Unreachable {
        /// The server, without user and password.
        address: String,
        /// Why not.
        reason: String,
    },
    /// The server lets nobody in with this user and password, or has no such database.
    #[error("{address} does not take the log-in of the address: {reason}")]
    TurnedAway {
        /// The server, without user and password.
        address: String,
        /// What it said.
        reason: String,
    },
    /// It broke off, or what came is no RESP.
    #[error("the connection to Redis was lost: {0}")]
    Lost(String),
    /// The answer is larger than whoever asked may hold.
    #[error("Redis answered with more than {0} bytes")]
    TooLarge(u64),
    /// The answer has more elements than one may have, however small they are.
    #[error("Redis answered with more than {REDIS_ANSWER_ELEMENTS} elements")]
    TooMany,
}

impl RedisFault {
    /// The server did not answer in this time.
    pub fn silent(address: &RedisAddress, time: Duration) -> Self {
        Self::Unreachable { address: address.to_string(), reason: format!("no answer within {} s", time.as_secs()) }
    }
}

impl RedisConnection {
    /// Connects and logs in, within [`REDIS_CONNECT_TIME`], to what is not `blocked`.
    ///
    /// # Errors
    /// [`RedisFault::Unreachable`] and [`RedisFault::TurnedAway`].
    pub async fn connect(address: &RedisAddress, blocked: &BlockedNetworks) -> Result<Self, RedisFault> {
        match timeout(REDIS_CONNECT_TIME, Self::open(address, blocked)).await {
            Ok(opened) => opened,
            Err(_) => Err(RedisFault::silent(address, REDIS_CONNECT_TIME)),
        }
    }

    /// Sends a command and waits for the answer to it, which may have `most_bytes` on the wire, and
    /// [`REDIS_ANSWER_ELEMENTS`]. That the server refuses the command is
    /// an answer.
    ///
    /// # Errors
    /// [`RedisFault::Lost`], [`RedisFault::TooLarge`] and [`RedisFault::TooMany`], after which the connection is of no use.
    pub async fn exchange(&mut self, command: &Cmd, most_bytes: u64) -> Result<Value, RedisFault> {
        self.send(command).await?;
        self.receive(most_bytes).await
    }

    /// Sends a command, and waits for no answer.
    ///
    /// # Errors
    /// [`RedisFault::Lost`].
    pub async fn send(&mut self, command: &Cmd) -> Result<(), RedisFault> {
        let lost = |error: std::io::Error| RedisFault::Lost(error.to_string());
        let stream = self.stream.writer();
        stream.write_all(&command.get_packed_command()).await.map_err(lost)?;
        stream.flush().await.map_err(lost)
    }

    /// Whether every byte that the server sent belonged to what was asked for.
    pub fn is_clean(&self) -> bool {
        self.decoder.buffer().is_empty()
    }

    /// When the server was last heard, be it in the midst of a value.
    pub fn heard_at(&self) -> Instant {
        self.stream.heard_at()
    }

    /// The next value that the server sends. Whoever stops waiting for it may wait again; what has come of it by then counts.
    ///
    /// # Errors
    /// As [`Self::exchange`].
    pub async fn receive(&mut self, most_bytes: u64) -> Result<Value, RedisFault> {
        let come = self.stream.bytes() - self.began_at;
        let mut bounded = (&mut self.stream).take(most_bytes.saturating_sub(come));
        let received = parse_redis_value_async(&mut self.decoder, &mut bounded).await;
        let is_used_up = bounded.limit() == 0;
        if received.is_ok() {
            self.began_at = self.stream.bytes();
        }
        received.map_err(|error| match error {
            _ if self.stream.is_over() => RedisFault::TooMany,
            _ if is_used_up => RedisFault::TooLarge(most_bytes),
            error => RedisFault::Lost(error.to_string()),
        })
    }

    async fn open(address: &RedisAddress, blocked: &BlockedNetworks) -> Result<Self, RedisFault> {
        let unreachable = |reason: std::io::Error| RedisFault::Unreachable {
            address: address.to_string(),
            reason: reason.to_string(),
        };
        let stream = Counting::new(stream::connect(address, blocked).await.map_err(unreachable)?);
        let mut connection = Self { stream, decoder: Decoder::new(), began_at: 0 };
        for command in log_in(address) {
            if let Value::ServerError(error) = connection.exchange(&command, REDIS_REPLY_BYTES).await? {
                return Err(RedisFault::TurnedAway {
                    address: address.to_string(),
                    reason: told_of_log_in(&error, address),
                });
            }
        }
        Ok(connection)
    }
}

/// What a server says of a command that it refuses, as it says it.
pub fn told(error: &ServerError) -> String {
    match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    }
}

/// The same of what is said before anything else: servers that do not know `AUTH` repeat what came with it, or as much of it as they
/// have room for.
fn told_of_log_in(error: &ServerError, address: &RedisAddress) -> String {
    let mut secrets = [&address.password, &address.username].into_iter().flatten().filter(|secret| !secret.is_empty());
    let is_unknown = error.details().is_some_and(|details| details.starts_with("unknown command"));
    let repeats = is_unknown || secrets.any(|secret| told(error).contains(secret.as_str()));
    if repeats { format!("{} (it repeats what it was sent)", error.code()) } else { told(error) }
}

/// What is said before anything else.
fn log_in(address: &RedisAddress) -> Vec<Cmd> {
    let mut commands = Vec::new();
    if let Some(password) = &address.password {
        let mut auth = cmd("AUTH");
        address.username.iter().for_each(|username| _ = auth.arg(username));
        auth.arg(password);
        commands.push(auth);
    }
    if address.database != 0 {
        let mut select = cmd("SELECT");
        select.arg(address.database);
        commands.push(select);
    }
    commands
}
