//! The connections to the server of a store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::super::Failure;
use crate::{
    blocked_networks::BlockedNetworks,
    limits::{CONNECTION_WAIT, KEY_VALUE_REDIS_CONNECTIONS, KEY_VALUE_TIME},
    redis_connection::{IdleConnection, RedisAddress, RedisConnection, RedisFault},
};

/// A server, and the connections to it that all components share. Clones are the same.
#[derive(Clone)]
pub struct Server(Arc<Shared>);

struct Shared {
    address: RedisAddress,
    /// Where connections are driven: cores come and go with their work, and a connection must not wait for one that computes.
    runtime: Option<Handle>,
    permits: Arc<Semaphore>,
    /// The one used last at the end.
    idle: Mutex<Vec<IdleConnection>>,
}

impl Server {
    /// The server at this address, to which nothing is connected yet.
    pub fn new(address: RedisAddress) -> Self {
        let permits = Arc::new(Semaphore::new(KEY_VALUE_REDIS_CONNECTIONS));
        Self(Arc::new(Shared { address, runtime: Handle::try_current().ok(), permits, idle: Mutex::default() }))
    }

    /// Lets `work` have a connection, which goes on even if nobody waits for it any more.
    ///
    /// # Errors
    /// [`Failure::Broken`] where there is none in time or it is lost; the log has the cause.
    pub async fn on<R, W>(&self, work: W) -> Result<R, Failure>
    where
        R: Send + 'static,
        W: for<'a> FnOnce(&'a mut RedisConnection) -> BoxFuture<'a, Result<R, RedisFault>> + Send + 'static,
    {
        let waiting = timeout(CONNECTION_WAIT, self.0.permits.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = waiting else {
            let address = &self.0.address;
            tracing::error!(%address, "no connection of a key-value store to Redis became free in time");
            return Err(Failure::Broken);
        };
        let shared = self.0.clone();
        let working = shared.clone().work(work, permit);
        let worked = match shared.runtime.clone().map_or_else(Handle::try_current, Ok) {
            Ok(runtime) => runtime.spawn(working).await,
            Err(error) => {
                tracing::error!(%error, "there is nothing that drives a connection to Redis");
                return Err(Failure::Broken);
            }
        };
        match worked {
            Ok(done) => Ok(done?),
            Err(error) => {
                tracing::error!(%error, "work on a key-value store was interrupted");
                Err(Failure::Broken)
            }
        }
    }
}

impl Shared {
    async fn work<R, W>(self: Arc<Self>, work: W, _permit: OwnedSemaphorePermit) -> Result<R, RedisFault>
    where
        W: for<'a> FnOnce(&'a mut RedisConnection) -> BoxFuture<'a, Result<R, RedisFault>>,
    {
        let mut connection = match self.proven().await {
            Some(connection) => connection,
            // The address is the operator's own: what is blocked is blocked for components.
            None => RedisConnection::connect(&self.address, &BlockedNetworks::default()).await?,
        };
        let worked = timeout(KEY_VALUE_TIME, work(&mut connection)).await;
        let done = worked.map_err(|_| RedisFault::silent(&self.address, KEY_VALUE_TIME))??;
        if connection.is_clean() {
            self.idle().push(IdleConnection::new(connection));
        }
        Ok(done)
    }

    /// An idle connection that lives. Where one does not, the server has probably gone away, and the others with it.
    async fn proven(&self) -> Option<RedisConnection> {
        let popped = self.idle().pop();
        let proven = popped?.proven().await;
        if proven.is_none() {
            self.idle().clear();
        }
        proven
    }

    fn idle(&self) -> MutexGuard<'_, Vec<IdleConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
