//! A connection that waits for work.

use redis::{Value, cmd};
use tokio::time::{Instant, timeout};

use super::RedisConnection;
use crate::limits::{CONNECTION_PING, CONNECTION_TRUSTED, REDIS_REPLY_BYTES};

/// A connection that waits for work.
pub struct IdleConnection {
    connection: RedisConnection,
    since: Instant,
}

impl IdleConnection {
    /// It waits from now on. What was sent unasked would be taken for the answer to the next command, so it must be clean.
    pub fn new(connection: RedisConnection) -> Self {
        Self { connection, since: Instant::now() }
    }

    /// It has waited for so long that its word alone is not enough.
    #[cfg(test)]
    pub fn for_long(connection: RedisConnection) -> Self {
        let since = Instant::now().checked_sub(CONNECTION_TRUSTED);
        Self { connection, since: since.unwrap_or_else(Instant::now) }
    }

    /// Since when it waits.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// The connection, if it lives: it worked a moment ago, or says so. Where it does not, the server has probably gone away, and
    /// other connections with it.
    pub async fn proven(self) -> Option<RedisConnection> {
        let Self { mut connection, since } = self;
        if since.elapsed() < CONNECTION_TRUSTED {
            return Some(connection);
        }
        let ping = cmd("PING");
        let answer = timeout(CONNECTION_PING, connection.exchange(&ping, REDIS_REPLY_BYTES)).await;
        // Who lets nobody ping, or is busy starting, is there.
        let answered = matches!(answer, Ok(Ok(Value::SimpleString(_) | Value::ServerError(_))));
        (answered && connection.is_clean()).then_some(connection)
    }
}
