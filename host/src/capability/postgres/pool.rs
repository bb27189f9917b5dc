//! The connections of one component to one address on one core.
//!
//! A connection is made beside those who wait for one: under load it takes its time, and whoever has waited for it then has one that
//! has come back meanwhile.
//!
//! Not sqlx's own pool: that one asks the server whether a connection lives each time it is given back, and cannot know
//! that a guest left a transaction open.

mod connect;

use super::address::Address;
use super::failure::{self, Failure};
use super::lease::{Lease, Live};
use super::pools::PoolSettings;
use crate::blocked_networks::BlockedNetworks;
use crate::limits::{CONNECTION_IDLE, CONNECTION_LIFE, CONNECTION_PING, CONNECTION_TRUSTED, CONNECTION_WAIT};
use sqlx::Connection as _;
use std::future::pending;
use std::mem;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// The connections to one address.
///
/// **Invariant:** who has a permit finds a connection that is idle, or one is being made, or there is room for a further one: there are
/// as many permits as there may be connections.
pub struct Pool {
    address: Address,
    blocked: Arc<BlockedNetworks>,
    state: Mutex<State>,
    /// Told when a connection has come back, when one is gone, and when an attempt to make one has ended.
    changed: Notify,
    permits: Arc<Semaphore>,
    max_connections: usize,
    query_bytes: usize,
    on_write: Option<Arc<Notify>>,
}

#[derive(Default)]
struct State {
    /// The one used last is at the end.
    idle: Vec<Idle>,
    /// Connections open, idle or in use.
    open: usize,
    /// Connections being made.
    making: usize,
    closed: bool,
}

/// A connection that waits for work.
struct Idle {
    live: Live,
    since: Instant,
    has_served: bool,
}

impl Pool {
    /// An empty one.
    pub fn new(address: Address, settings: &PoolSettings) -> Self {
        let max_connections = usize::try_from(settings.max_connections.max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        let own_server = settings.own_server.as_ref().filter(|own| own.address == address.server());
        let blocked = if own_server.is_some() { Arc::default() } else { settings.blocked.clone() };
        let socket = own_server.and_then(|own| own.socket.as_deref());
        Self {
            address: socket.into_iter().fold(address, Address::by_socket),
            blocked,
            state: Mutex::default(),
            changed: Notify::new(),
            permits: Arc::new(Semaphore::new(max_connections)),
            max_connections,
            query_bytes: settings.query_bytes,
            on_write: settings.on_write.clone(),
        }
    }

    /// Connections open, idle or in use.
    pub fn open_connections(&self) -> usize {
        self.state().open
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

    /// A connection that is ready for a statement, within [`CONNECTION_WAIT`]: one that is idle, or the first that becomes so. Where
    /// none is, a further one is made meanwhile.
    pub async fn acquire(self: &Arc<Self>) -> Result<Lease, Failure> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned()
            && let Some(live) = self.pop_trusted()
        {
            return Ok(Lease::new(self.clone(), live, permit, true));
        }
        let deadline = Instant::now() + CONNECTION_WAIT;
        let permit = match timeout_at(deadline, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(shut_down()),
            Err(_) => return Err(self.none_became_free()),
        };
        let mut growth = None;
        loop {
            // Listens before it looks, so that nothing comes back unnoticed in between.
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            while let Some(idle) = self.pop() {
                let reused = idle.has_served;
                if let Some(live) = self.proven(idle).await {
                    return Ok(Lease::new(self.clone(), live, permit, reused));
                }
            }
            if growth.is_none() {
                growth = self.grow()?;
            }
            tokio::select! {
                () = changed => {}
                failure = outcome(&mut growth) => match failure {
                    Some(failure) => return Err(failure),
                    // It was made; who came first has it.
                    None => growth = None,
                },
                () = sleep_until(deadline) => {
                    return Err(match growth {
                        Some(_) => connect::no_answer(&self.address),
                        None => self.none_became_free(),
                    });
                }
            }
        }
    }

    /// Takes a connection back that is clean.
    pub fn put_back(&self, live: Live) {
        self.keep(live, true);
    }

    /// Forgets all idle connections: one of them was found dead, so the server has probably gone away.
    pub fn forget_idle(&self) {
        let mut state = self.state();
        let dead = mem::take(&mut state.idle);
        state.open -= dead.len();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Drops a connection without a word to the server.
    pub fn discard(&self, live: Live) {
        drop(live);
        self.gone();
    }

    /// Says goodbye to the server in a task of its own.
    pub fn close_later(&self, live: Live) {
        self.gone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(timeout(CONNECTION_PING, live.connection.close()));
        }
    }

    /// Closes what is idle; nobody gets a connection any more.
    pub async fn close(&self) {
        let idle = {
            let mut state = self.state();
            state.closed = true;
            mem::take(&mut state.idle)
        };
        self.permits.close();
        self.changed.notify_waiters();
        for Idle { live, .. } in idle {
            self.gone();
            // A server that does not listen to the goodbye notices the closed socket.
            let _ = timeout(CONNECTION_PING, live.connection.close()).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    fn pop(&self) -> Option<Idle> {
        self.state().idle.pop()
    }

    /// The connection used last, if that was a moment ago.
    fn pop_trusted(&self) -> Option<Live> {
        let mut state = self.state();
        let is_trusted = state.idle.last().is_some_and(Idle::is_trusted);
        if is_trusted { state.idle.pop().map(|idle| idle.live) } else { None }
    }

    /// The connection, if it lives. Where it does not, the others that are idle do not either.
    async fn proven(&self, mut idle: Idle) -> Option<Live> {
        if idle.is_trusted() {
            return Some(idle.live);
        }
        match timeout(CONNECTION_PING, idle.live.connection.ping()).await {
            Ok(Ok(())) => Some(idle.live),
            _ => {
                self.discard(idle.live);
                self.forget_idle();
                None
            }
        }
    }

    /// Makes a connection idle, and closes the one that has stood longest if nobody has wanted it for long.
    fn keep(&self, live: Live, has_served: bool) {
        let now = Instant::now();
        let leaving = {
            let mut state = self.state();
            if state.closed || live.opened.elapsed() > CONNECTION_LIFE {
                Some(live)
            } else {
                state.idle.push(Idle { live, since: now, has_served });
                // One look each time keeps the pool from holding what nobody uses.
                let is_stale =
                    state.idle.first().is_some_and(|first| now.duration_since(first.since) > CONNECTION_IDLE);
                is_stale.then(|| state.idle.remove(0).live)
            }
        };
        self.changed.notify_one();
        if let Some(leaving) = leaving {
            self.close_later(leaving);
        }
    }

    /// Makes a further connection, where there may be one, in a task of its own: it is not given up when who wants it finds another
    /// one first. The answer is where its failure is told.
    fn grow(self: &Arc<Self>) -> Result<Option<oneshot::Receiver<Failure>>, Failure> {
        let growing = {
            let mut state = self.state();
            if state.closed {
                return Err(shut_down());
            }
            if state.open + state.making >= self.max_connections {
                return Ok(None);
            }
            state.making += 1;
            Growing(self.clone())
        };
        let (failure, failed) = oneshot::channel();
        tokio::spawn(async move {
            let Growing(pool) = &growing;
            match connect::connect(&pool.address, &pool.blocked).await {
                Ok(connection) => {
                    pool.state().open += 1;
                    pool.keep(Live { connection, opened: Instant::now() }, false);
                }
                // Who wanted it may have another one.
                Err(error) => _ = failure.send(error),
            }
        });
        Ok(Some(failed))
    }

    /// One connection less.
    fn gone(&self) {
        self.state().open -= 1;
        self.changed.notify_one();
    }

    fn none_became_free(&self) -> Failure {
        let (seconds, most) = (CONNECTION_WAIT.as_secs(), self.max_connections);
        failure::connection(format!(
            "none of the component's {most} database connections became free within {seconds} s; \
             end transactions and result streams sooner, or raise limits.database_connections"
        ))
    }
}

impl Idle {
    /// Whether it has been used a moment ago.
    fn is_trusted(&self) -> bool {
        self.since.elapsed() < CONNECTION_TRUSTED
    }
}

/// A connection that is being made, however that ends.
struct Growing(Arc<Pool>);

impl Drop for Growing {
    fn drop(&mut self) {
        self.0.state().making -= 1;
        self.0.changed.notify_one();
    }
}

/// How the making of a connection has failed, once it has; `None` when it has not. Where none is being made, it never ends.
async fn outcome(growth: &mut Option<oneshot::Receiver<Failure>>) -> Option<Failure> {
    match growth {
        Some(failed) => failed.await.ok(),
        None => pending().await,
    }
}

fn shut_down() -> Failure {
    failure::connection("this version of the component is being shut down")
}

/// Locks; a panic elsewhere leaves nothing half done here.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
