//! The connections of one component to one address on one core.
//!
//! Not sqlx's own pool: that one asks the server whether a connection lives each time it is given back, and cannot know
//! that a guest left a transaction open.

use super::address::Address;
use super::failure::{self, Failure};
use super::lease::{Lease, Live};
use super::pools::PoolSettings;
use crate::limits::{CONNECTION_IDLE, CONNECTION_LIFE, CONNECTION_PING, CONNECTION_TRUSTED, CONNECTION_WAIT};
use sqlx::{Connection as _, PgConnection};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// The first and the longest pause between attempts to connect.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// The connections to one address.
pub struct Pool {
    address: Address,
    idle: Mutex<Vec<Idle>>,
    permits: Arc<Semaphore>,
    max_connections: u32,
    open: AtomicUsize,
    closed: AtomicBool,
    query_bytes: usize,
    on_write: Option<Arc<Notify>>,
}

/// A connection that waits for work, the one used last at the end.
struct Idle {
    live: Live,
    since: Instant,
}

impl Pool {
    /// An empty one.
    pub fn new(address: Address, settings: &PoolSettings) -> Self {
        let permits = usize::try_from(settings.max_connections.max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            address,
            idle: Mutex::default(),
            permits: Arc::new(Semaphore::new(permits)),
            max_connections: settings.max_connections.max(1),
            open: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            query_bytes: settings.query_bytes,
            on_write: settings.on_write.clone(),
        }
    }

    /// Connections open, idle or in use.
    pub fn open_connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Bytes of one query's rows that may be held at once.
    pub fn query_bytes(&self) -> usize {
        self.query_bytes
    }

    /// Tells whoever waits for it that data may have changed.
    pub fn announce_write(&self) {
        if let Some(notify) = &self.on_write {
            notify.notify_one();
        }
    }

    /// A connection that is ready for a statement, within [`CONNECTION_WAIT`].
    pub async fn acquire(self: &Arc<Self>) -> Result<Lease, Failure> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned()
            && let Some(live) = self.pop_trusted()
        {
            return Ok(Lease::new(self.clone(), live, permit, true));
        }
        let deadline = Instant::now() + CONNECTION_WAIT;
        let permit = match timeout_at(deadline, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => {
                return Err(failure::connection("this version of the component is being shut down"));
            }
            Err(_) => return Err(self.none_became_free()),
        };
        while let Some(idle) = self.pop() {
            if let Some(live) = self.proven(idle).await {
                return Ok(Lease::new(self.clone(), live, permit, true));
            }
        }
        let live = self.connect(deadline).await?;
        Ok(Lease::new(self.clone(), live, permit, false))
    }

    /// Takes a connection back that is clean.
    pub fn put_back(&self, live: Live) {
        if self.closed.load(Ordering::Acquire) || live.opened.elapsed() > CONNECTION_LIFE {
            return self.close_later(live);
        }
        let now = Instant::now();
        let stale = {
            let mut idle = locked(&self.idle);
            idle.push(Idle { live, since: now });
            // The first has stood longest; one look each time keeps the pool from holding what nobody uses.
            let is_stale = idle.first().is_some_and(|first| now.duration_since(first.since) > CONNECTION_IDLE);
            is_stale.then(|| idle.remove(0))
        };
        if let Some(stale) = stale {
            self.close_later(stale.live);
        }
    }

    /// Forgets all idle connections: one of them was found dead, so the server has probably gone away.
    pub fn forget_idle(&self) {
        let dead = std::mem::take(&mut *locked(&self.idle));
        self.open.fetch_sub(dead.len(), Ordering::Relaxed);
    }

    /// Drops a connection without a word to the server.
    pub fn discard(&self, live: Live) {
        drop(live);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Says goodbye to the server in a task of its own.
    pub fn close_later(&self, live: Live) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(timeout(CONNECTION_PING, live.connection.close()));
        }
    }

    /// Closes what is idle; nobody gets a connection any more.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.permits.close();
        let idle = std::mem::take(&mut *locked(&self.idle));
        for Idle { live, .. } in idle {
            self.open.fetch_sub(1, Ordering::Relaxed);
            // A server that does not listen to the goodbye notices the closed socket.
            let _ = timeout(CONNECTION_PING, live.connection.close()).await;
        }
    }

    fn pop(&self) -> Option<Idle> {
        locked(&self.idle).pop()
    }

    /// The connection used last, if that was a moment ago.
    fn pop_trusted(&self) -> Option<Live> {
        let mut idle = locked(&self.idle);
        let is_trusted = idle.last().is_some_and(|last| last.since.elapsed() < CONNECTION_TRUSTED);
        if is_trusted { idle.pop().map(|idle| idle.live) } else { None }
    }

    /// The connection, if it lives.
    async fn proven(&self, mut idle: Idle) -> Option<Live> {
        if idle.since.elapsed() < CONNECTION_TRUSTED {
            return Some(idle.live);
        }
        match timeout(CONNECTION_PING, idle.live.connection.ping()).await {
            Ok(Ok(())) => Some(idle.live),
            _ => {
                self.discard(idle.live);
                None
            }
        }
    }

    /// Connects, again and again while the server is starting, until `deadline`.
    async fn connect(&self, deadline: Instant) -> Result<Live, Failure> {
        let Address { host, port, .. } = &self.address;
        let mut pause = RETRY_PAUSE.0;
        loop {
            let error = match timeout_at(deadline, self.attempt()).await {
                Ok(Ok(connection)) => {
                    self.open.fetch_add(1, Ordering::Relaxed);
                    return Ok(Live { connection, opened: Instant::now() });
                }
                Ok(Err(error)) => error,
                Err(_) => {
                    let seconds = CONNECTION_WAIT.as_secs();
                    let message = format!("the database at {host}:{port} did not answer within {seconds} s");
                    return Err(failure::connection(message));
                }
            };
            if !failure::may_pass(&error) || Instant::now() + pause >= deadline {
                return Err(failure::of_connecting(&error, host, *port));
            }
            sleep(pause).await;
            pause = (pause * 2).min(RETRY_PAUSE.1);
        }
    }

    /// Connects once, the second way where the server does not want the first.
    async fn attempt(&self) -> Result<PgConnection, sqlx::Error> {
        let Address { options, second, .. } = &self.address;
        match (PgConnection::connect_with(options).await, second) {
            (Err(error), Some(second)) if failure::is_turned_away(&error) => PgConnection::connect_with(second).await,
            (connected, _) => connected,
        }
    }

    fn none_became_free(&self) -> Failure {
        let (seconds, most) = (CONNECTION_WAIT.as_secs(), self.max_connections);
        failure::connection(format!(
            "none of the component's {most} database connections became free within {seconds} s; \
             end transactions and result streams sooner, or raise limits.database_connections"
        ))
    }
}

/// Locks; a panic elsewhere leaves nothing half done here.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
