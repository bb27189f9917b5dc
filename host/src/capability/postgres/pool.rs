//! The connections of one component on one core: a pool per address.
//!
//! Not sqlx's own pool: that one asks the server whether a connection lives each time it is given back, and cannot know
//! that a guest left a transaction open.

use super::address::{self, Address};
use super::failure::{self, Failure};
use super::lease::{Lease, Live};
use crate::manifest::grant::AllowedHosts;
use sqlx::{Connection as _, PgConnection};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long a statement waits for a connection, connecting included.
pub const ACQUIRE_TIME: Duration = Duration::from_secs(5);
/// A connection that stood longer than this is asked whether it lives before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// How long that question may take.
const PING_TIME: Duration = Duration::from_secs(1);
/// A connection that stood longer than this is closed.
const IDLE_TIME: Duration = Duration::from_secs(300);
/// A connection older than this is closed when it comes back.
const LIFE_TIME: Duration = Duration::from_secs(1800);
/// The first and the longest pause between attempts to connect.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// Addresses one component may use at once on one core.
const ADDRESSES: usize = 16;

/// What the pools of a component are bounded by.
#[derive(Clone)]
pub struct PoolSettings {
    /// The component's name, for messages.
    pub component: String,
    /// Where it may connect to.
    pub grants: Arc<AllowedHosts>,
    /// Connections to one address, at most.
    pub max_connections: u32,
    /// Bytes of one query's rows held in the host at once.
    pub query_bytes: usize,
    /// Told after each statement that may have changed data, once it is committed.
    pub on_write: Option<Arc<Notify>>,
}

/// All pools of one component on one core. Clones share them.
#[derive(Clone)]
pub struct Pools(Arc<Shared>);

struct Shared {
    settings: PoolSettings,
    pools: Mutex<HashMap<PoolKey, Arc<Pool>>>,
    closed: AtomicBool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct PoolKey {
    address: String,
    ca_root: Option<String>,
}

impl Pools {
    /// No connection is made before a statement needs one.
    pub fn new(settings: PoolSettings) -> Self {
        Self(Arc::new(Shared { settings, pools: Mutex::default(), closed: AtomicBool::new(false) }))
    }

    /// Closes what is idle; what is in use is closed when it comes back, and nothing new is opened.
    pub async fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        let pools: Vec<Arc<Pool>> = locked(&self.0.pools).drain().map(|(_, pool)| pool).collect();
        for pool in pools {
            pool.close().await;
        }
    }

    /// Connections open to the database, idle or in use.
    pub fn open_connections(&self) -> usize {
        locked(&self.0.pools).values().map(|pool| pool.open.load(Ordering::Relaxed)).sum()
    }

    /// The pool for an address, after checking that the component may use it.
    pub(super) fn pool(&self, address: &str, ca_root: Option<&str>) -> Result<Arc<Pool>, Failure> {
        let key = PoolKey { address: address.to_owned(), ca_root: ca_root.map(str::to_owned) };
        if let Some(pool) = locked(&self.0.pools).get(&key) {
            return Ok(pool.clone());
        }
        let parsed = address::parse(address, ca_root).map_err(|error| failure::of_address(&error))?;
        self.check_grant(&parsed)?;
        if self.0.closed.load(Ordering::Acquire) {
            return Err(failure::connection("this version of the component is being shut down"));
        }
        let mut pools = locked(&self.0.pools);
        if pools.len() >= ADDRESSES {
            pools.retain(|_, pool| Arc::strong_count(pool) > 1);
        }
        if pools.len() >= ADDRESSES {
            return Err(failure::connection(format!("at most {ADDRESSES} database addresses can be in use at once")));
        }
        let pool = pools.entry(key).or_insert_with(|| Arc::new(Pool::new(parsed, &self.0.settings)));
        Ok(pool.clone())
    }

    fn check_grant(&self, address: &Address) -> Result<(), Failure> {
        let Address { host, port, .. } = address;
        if self.0.settings.grants.allows("postgres", host, *port) {
            return Ok(());
        }
        let component = &self.0.settings.component;
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        Err(failure::connection(format!(
            "component `{component}` may not connect to {bracketed}:{port}; \
             add \"postgres://{bracketed}:{port}\" to its allowed_outbound_hosts"
        )))
    }
}

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
    fn new(address: Address, settings: &PoolSettings) -> Self {
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

    /// A connection that is ready for a statement, within [`ACQUIRE_TIME`].
    pub async fn acquire(self: &Arc<Self>) -> Result<Lease, Failure> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned()
            && let Some(live) = self.pop_trusted()
        {
            return Ok(Lease::new(self.clone(), live, permit, true));
        }
        let deadline = Instant::now() + ACQUIRE_TIME;
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
        if self.closed.load(Ordering::Acquire) || live.opened.elapsed() > LIFE_TIME {
            return self.close_later(live);
        }
        let now = Instant::now();
        let stale = {
            let mut idle = locked(&self.idle);
            idle.push(Idle { live, since: now });
            // The first has stood longest; one look each time keeps the pool from holding what nobody uses.
            let is_stale = idle.first().is_some_and(|first| now.duration_since(first.since) > IDLE_TIME);
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
            runtime.spawn(timeout(PING_TIME, live.connection.close()));
        }
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.permits.close();
        let idle = std::mem::take(&mut *locked(&self.idle));
        for Idle { live, .. } in idle {
            self.open.fetch_sub(1, Ordering::Relaxed);
            // A server that does not listen to the goodbye notices the closed socket.
            let _ = timeout(PING_TIME, live.connection.close()).await;
        }
    }

    fn pop(&self) -> Option<Idle> {
        locked(&self.idle).pop()
    }

    /// The connection used last, if that was a moment ago.
    fn pop_trusted(&self) -> Option<Live> {
        let mut idle = locked(&self.idle);
        let is_trusted = idle.last().is_some_and(|last| last.since.elapsed() < TRUSTED_IDLE);
        if is_trusted { idle.pop().map(|idle| idle.live) } else { None }
    }

    /// The connection, if it lives.
    async fn proven(&self, mut idle: Idle) -> Option<Live> {
        if idle.since.elapsed() < TRUSTED_IDLE {
            return Some(idle.live);
        }
        match timeout(PING_TIME, idle.live.connection.ping()).await {
            Ok(Ok(())) => Some(idle.live),
            _ => {
                self.discard(idle.live);
                None
            }
        }
    }

    /// Connects, again and again while the server is starting, until `deadline`.
    async fn connect(&self, deadline: Instant) -> Result<Live, Failure> {
        let Address { host, port, options } = &self.address;
        let mut pause = RETRY_PAUSE.0;
        loop {
            let error = match timeout_at(deadline, PgConnection::connect_with(options)).await {
                Ok(Ok(connection)) => {
                    self.open.fetch_add(1, Ordering::Relaxed);
                    return Ok(Live { connection, opened: Instant::now() });
                }
                Ok(Err(error)) => error,
                Err(_) => {
                    let seconds = ACQUIRE_TIME.as_secs();
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

    fn none_became_free(&self) -> Failure {
        let (seconds, most) = (ACQUIRE_TIME.as_secs(), self.max_connections);
        failure::connection(format!(
            "none of the component's {most} database connections became free within {seconds} s; \
             end transactions and result streams sooner, or raise limits.database_connections"
        ))
    }
}

/// Locks; a panic elsewhere leaves nothing half done here.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
