//! The connections to one address, and one of them on loan.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use redis::{Cmd, Value};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::{failure::Failure, pools::PoolSettings};
use crate::{
    limits::CONNECTION_WAIT,
    redis_connection::{IdleConnection, RedisAddress, RedisConnection, RedisFault},
};

/// The connections to one address.
pub struct Pool {
    address: RedisAddress,
    settings: PoolSettings,
    permits: Arc<Semaphore>,
    idle: Mutex<IdleOnes>,
}

/// Connections that wait for work.
#[derive(Default)]
struct IdleOnes {
    /// The one used last at the end.
    connections: Vec<IdleConnection>,
    /// Somebody closes those that have stood too long.
    are_swept: bool,
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
        let permits = Arc::new(Semaphore::new(most));
        Self { address, settings: settings.clone(), permits, idle: Mutex::default() }
    }

    /// A connection that is ready for a command, within [`CONNECTION_WAIT`] of whatever it takes to have one.
    ///
    /// # Errors
    /// Where none becomes free in time, or none can be made.
    pub async fn acquire(self: &Arc<Self>) -> Result<Lease, Failure> {
        let by = Instant::now() + CONNECTION_WAIT;
        let permit = match timeout_at(by, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) | Err(_) => return Err(self.none_became_free()),
        };
        let connecting = async {
            match self.proven().await {
                Some(connection) => Ok(connection),
                None => RedisConnection::connect(&self.address, &self.settings.blocked).await,
            }
        };
        let connected = timeout_at(by, connecting).await;
        let connection = connected.unwrap_or_else(|_| Err(RedisFault::silent(&self.address, CONNECTION_WAIT)))?;
        Ok(Lease { connection: Some(connection), pool: self.clone(), is_own: false, _permit: permit })
    }

    /// An idle connection that lives. Where one does not, the server has probably gone away, and the others with it.
    async fn proven(&self) -> Option<RedisConnection> {
        let popped = self.idle().connections.pop();
        let proven = popped?.proven().await;
        if proven.is_none() {
            self.idle().connections.clear();
        }
        proven
    }

    /// Takes a connection back that is clean, and has it closed once it has stood too long.
    fn put_back(self: &Arc<Self>, connection: RedisConnection) {
        let mut idle = self.idle();
        idle.connections.push(IdleConnection::new(connection));
        // Without a runtime the process ends, and the connections with it.
        if !idle.are_swept
            && let Ok(runtime) = Handle::try_current()
        {
            idle.are_swept = true;
            runtime.spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Closes what has stood too long; returns when the next of the others will have, if there are any.
    fn close_old(&self) -> Option<Instant> {
        let (now, keep) = (Instant::now(), self.settings.idle_time);
        let mut idle = self.idle();
        idle.connections.retain(|one| now.duration_since(one.since()) < keep);
        let next = idle.connections.first().map(|oldest| oldest.since() + keep);
        idle.are_swept = next.is_some();
        next
    }

    fn idle(&self) -> MutexGuard<'_, IdleOnes> {
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

/// Closes a pool's connections as they have stood too long, until there are none.
async fn sweep(pool: Weak<Pool>) {
    while let Some(next) = pool.upgrade().and_then(|pool| pool.close_old()) {
        sleep_until(next).await;
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
                    self.pool.idle().connections.clear();
                }
                Err(fault.into())
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // What was sent unasked would be taken for the answer to the next command.
        let is_own = self.is_own;
        if let Some(connection) = self.connection.take().filter(|one| !is_own && one.is_clean()) {
            self.pool.put_back(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use redis::cmd;

    use super::*;
    use crate::{blocked_networks::BlockedNetworks, manifest::grant::AllowedHosts, redis_connection::fake};

    fn pool(port: u16, blocked: &BlockedNetworks) -> Arc<Pool> {
        let settings = PoolSettings {
            component: "keeper".to_owned(),
            grants: Arc::new(AllowedHosts::parse(["redis://*:*"]).unwrap()),
            blocked: Arc::new(blocked.clone()),
            max_connections: 4,
            answer_bytes: 1024,
            command_time: Duration::from_secs(5),
            idle_time: Duration::from_secs(60),
        };
        Arc::new(Pool::new(RedisAddress::parse(&format!("redis://127.0.0.1:{port}")).unwrap(), &settings))
    }

    /// So many connections to a server that answers like this, which have been idle for long.
    async fn idle_for_long(count: usize, answer: &'static [u8]) -> Arc<Pool> {
        let (port, _) = fake::serve(answer).await;
        let pool = pool(port, &BlockedNetworks::default());
        for _ in 0..count {
            let connection = RedisConnection::connect(&pool.address, &pool.settings.blocked).await.unwrap();
            pool.idle().connections.push(IdleConnection::for_long(connection));
        }
        pool
    }

    #[tokio::test]
    async fn a_server_that_lets_nobody_ping_is_there_all_the_same() {
        let pool = idle_for_long(1, b"-NOPERM this user has no permissions\r\n").await;
        assert!(pool.proven().await.is_some());
    }

    #[tokio::test]
    async fn where_one_connection_is_dead_the_others_are_not_asked_one_by_one() {
        let pool = idle_for_long(3, b"no RESP\r\n").await;
        assert!(pool.proven().await.is_none());
        assert!(pool.idle().connections.is_empty());
    }

    #[tokio::test]
    async fn a_connection_on_which_more_came_than_was_asked_for_is_not_given_to_anybody_else() {
        let (port, _lefts) = fake::serve(b"+OK\r\n+more\r\n").await;
        let pool = pool(port, &BlockedNetworks::default());
        pool.acquire().await.ok().unwrap().run(&cmd("PING")).await.ok().unwrap();
        assert!(pool.idle().connections.is_empty());
    }

    #[tokio::test]
    async fn a_wildcard_grants_this_machine_unless_that_is_blocked() {
        let (port, _lefts) = fake::serve(b"+OK\r\n").await;
        assert!(pool(port, &BlockedNetworks::default()).acquire().await.is_ok());
        let mut blocked = BlockedNetworks::default();
        assert!(blocked.add("127.0.0.0/8"));
        let refused = pool(port, &blocked).acquire().await.err().unwrap();
        assert!(matches!(&refused, Failure::Other(text) if text.contains("block_networks")), "{refused:?}");
    }
}
