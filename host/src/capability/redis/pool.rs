//! The connections to one address, and one of them on loan.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::{Cmd, Value, cmd};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use super::{failure::Failure, pools::PoolSettings};
use crate::{
    limits::{CONNECTION_IDLE, CONNECTION_PING, CONNECTION_TRUSTED, CONNECTION_WAIT, REDIS_REPLY_BYTES},
    redis_connection::{RedisAddress, RedisConnection, RedisFault},
};

/// The connections to one address.
pub struct Pool {
    address: RedisAddress,
    settings: PoolSettings,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

/// A connection that waits for work, the one used last at the end.
struct Idle {
    connection: RedisConnection,
    since: Instant,
}

/// A connection on loan. Dropping it gives the connection back, unless it was lost or is the borrower's own.
pub struct Lease {
    connection: Option<RedisConnection>,
    pool: Arc<Pool>,
    is_own: bool,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// An empty one.
    pub fn new(address: RedisAddress, settings: &PoolSettings) -> Self {
        let most = usize::try_from(settings.max_connections.max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        Self { address, settings: settings.clone(), permits: Arc::new(Semaphore::new(most)), idle: Mutex::default() }
    }

    /// A connection that is ready for a command.
    ///
    /// # Errors
    /// Where none becomes free in time, or none can be made.
    pub async fn acquire(self: &Arc<Self>) -> Result<Lease, Failure> {
        let permit = match timeout(CONNECTION_WAIT, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) | Err(_) => return Err(self.none_became_free()),
        };
        let connection = match self.proven().await {
            Some(connection) => connection,
            None => RedisConnection::connect(&self.address).await?,
        };
        Ok(Lease { connection: Some(connection), pool: self.clone(), is_own: false, _permit: permit })
    }

    /// An idle connection that lives.
    async fn proven(&self) -> Option<RedisConnection> {
        loop {
            // Not in the loop's condition, where the lock would be held while the server is asked.
            let popped = self.idle().pop();
            let Idle { mut connection, since } = popped?;
            if since.elapsed() < CONNECTION_TRUSTED {
                return Some(connection);
            }
            let ping = cmd("PING");
            let answer = timeout(CONNECTION_PING, connection.exchange(&ping, REDIS_REPLY_BYTES)).await;
            if matches!(answer, Ok(Ok(Value::SimpleString(_)))) {
                return Some(connection);
            }
        }
    }

    /// Takes a connection back that is clean, and closes what has stood too long.
    fn put_back(&self, connection: RedisConnection) {
        let now = Instant::now();
        let mut idle = self.idle();
        idle.retain(|one| now.duration_since(one.since) < CONNECTION_IDLE);
        idle.push(Idle { connection, since: now });
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn none_became_free(&self) -> Failure {
        let (most, seconds) = (self.settings.max_connections.max(1), CONNECTION_WAIT.as_secs());
        Failure::Other(format!(
            "none of the component's {most} connections to {} became free within {seconds} s; drop those that hold a transaction \
             sooner, or raise limits.database_connections",
            self.address
        ))
    }
}

impl Lease {
    /// The same, never given to anybody else.
    pub fn into_own(mut self) -> Self {
        self.is_own = true;
        self
    }

    /// Runs a command.
    ///
    /// # Errors
    /// Where the connection is lost or the answer does not come in time. It can run nothing any more then.
    pub async fn run(&mut self, command: &Cmd) -> Result<Value, Failure> {
        // It is put back once it has answered: whoever stops waiting before loses it.
        let lost = || {
            Failure::Other("the connection to Redis was lost, and with it what was set on it; open another".to_owned())
        };
        let mut connection = self.connection.take().ok_or_else(lost)?;
        let PoolSettings { answer_bytes, command_time, .. } = self.pool.settings;
        let most_bytes = u64::try_from(answer_bytes).unwrap_or(u64::MAX);
        let Ok(answer) = timeout(command_time, connection.exchange(command, most_bytes)).await else {
            let message = format!("{} did not answer within {} ms", self.pool.address, command_time.as_millis());
            return Err(Failure::Other(message));
        };
        match answer {
            Ok(value) => {
                self.connection = Some(connection);
                Ok(value)
            }
            Err(fault) => {
                if matches!(fault, RedisFault::Lost(_)) {
                    // The server has probably gone away, and the others with it.
                    self.pool.idle().clear();
                }
                Err(fault.into())
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take().filter(|_| !self.is_own) {
            self.pool.put_back(connection);
        }
    }
}
