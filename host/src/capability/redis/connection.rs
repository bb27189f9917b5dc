//! A guest's connection handle.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use redis::{Cmd, Value};
use tokio::sync::Mutex;

use super::{
    command::Command,
    failure::Failure,
    pool::{Lease, Pool},
};

/// A guest's connection handle. It borrows a connection for each command until a command changes the session; from then on it has one
/// of its own, for which its commands queue. Clones share the handle.
#[derive(Clone)]
pub struct Connection(Arc<Handle>);

struct Handle {
    pool: Arc<Pool>,
    /// Commands must use the connection of its own.
    has_own: AtomicBool,
    own: Mutex<Option<Lease>>,
}

impl Connection {
    /// A handle for the connections of `pool`.
    pub fn new(pool: Arc<Pool>) -> Self {
        Self(Arc::new(Handle { pool, has_own: AtomicBool::new(false), own: Mutex::default() }))
    }

    /// Runs a command of the guest's own; that the server refuses it is among the failures.
    pub(super) async fn run(&self, command: &Command) -> Result<Value, Failure> {
        if command.changes_session {
            self.0.has_own.store(true, Ordering::Release);
        }
        self.ask(&command.cmd).await
    }

    /// Runs a command that changes nothing of the session.
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, Failure> {
        let Handle { pool, has_own, own } = &*self.0;
        let answer = if has_own.load(Ordering::Acquire) {
            let mut own = own.lock().await;
            let lease = match own.take() {
                Some(lease) => lease,
                None => pool.acquire().await?.into_own(),
            };
            own.insert(lease).run(command).await?
        } else {
            pool.acquire().await?.run(command).await?
        };
        match answer {
            Value::ServerError(error) => Err(Failure::from(&error)),
            value => Ok(value),
        }
    }
}
