//! A connection that somebody uses, and what has to happen before anybody else may.

use super::pool::Pool;
use super::statement::{Statement, TransactionEffect};
use crate::limits::CONNECTION_WAIT;
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

/// A connection and its age.
pub struct Live {
    /// The connection.
    pub connection: PgConnection,
    /// When it was made.
    pub opened: Instant,
}

/// A connection on loan from its pool.
///
/// **Invariant:** a connection goes back to the pool only when no statement is under way on it, no transaction is
/// open and its session is as it was. Dropping the lease sees to it.
pub struct Lease {
    live: Option<Live>,
    pool: Arc<Pool>,
    permit: Option<OwnedSemaphorePermit>,
    /// It has served before, so the server may have closed it meanwhile.
    pub reused: bool,
    busy: bool,
    in_transaction: bool,
    pinned: bool,
}

impl Lease {
    pub(super) fn new(pool: Arc<Pool>, live: Live, permit: OwnedSemaphorePermit, reused: bool) -> Self {
        Self { live: Some(live), pool, permit: Some(permit), reused, busy: false, in_transaction: false, pinned: false }
    }

    /// The connection, marked busy until [`Lease::settle`]: whoever stops waiting in between leaves it unusable.
    /// None after it was lost.
    pub fn start(&mut self) -> Option<&mut PgConnection> {
        if self.busy {
            // Somebody stopped waiting for an earlier statement, whose answer is still on its way.
            self.lose();
        }
        self.busy = true;
        self.live.as_mut().map(|live| &mut live.connection)
    }

    /// The exchange with the server is complete.
    pub fn settle(&mut self) {
        self.busy = false;
    }

    /// The connection cannot be used any more. What it was held for stays noted: the statements of a lost transaction
    /// must fail, and not run on another connection one by one.
    pub fn lose(&mut self) {
        if let Some(live) = self.live.take() {
            self.pool.discard(live);
        }
        self.busy = false;
    }

    /// Notes that the guest has ended the transaction of a lost connection.
    pub fn bury_transaction(&mut self) {
        self.in_transaction = false;
    }

    /// The pool it came from.
    pub fn pool(&self) -> Arc<Pool> {
        self.pool.clone()
    }

    /// Lets another lease take this one's place in the pool's count, before this one is dropped.
    pub fn release_permit(&mut self) {
        self.permit = None;
    }

    /// Whether it must stay with the guest's handle.
    pub fn is_held(&self) -> bool {
        self.in_transaction || self.pinned
    }

    /// Whether a transaction is open.
    pub fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Notes that the session will differ from a fresh one.
    pub fn pin(&mut self) {
        self.pinned = true;
    }

    /// Notes what a statement that succeeded did.
    pub async fn succeeded(&mut self, statement: &Statement) {
        let was_in_transaction = self.in_transaction;
        match statement.transaction {
            TransactionEffect::None => {}
            TransactionEffect::Opens | TransactionEffect::Continues => self.in_transaction = true,
            TransactionEffect::Commits | TransactionEffect::RollsBack => self.in_transaction = false,
        }
        let commits = matches!(statement.transaction, TransactionEffect::Commits | TransactionEffect::Continues);
        if statement.writes && (commits || !was_in_transaction) {
            self.pool.announce_write();
        }
        if statement.forgets_prepared {
            self.forget_statements().await;
        }
    }

    /// Notes that a statement failed: a failed COMMIT has ended its transaction unless the server could not read it.
    pub async fn failed(&mut self, statement: &Statement, error: &sqlx::Error) {
        let ends = matches!(statement.transaction, TransactionEffect::Commits | TransactionEffect::Continues);
        if ends && self.in_transaction && !super::failure::is_syntax_error(error) {
            self.roll_back().await;
        }
    }

    /// Closes the prepared statements, which have gone stale.
    pub async fn forget_statements(&mut self) {
        let Some(connection) = self.start() else {
            return;
        };
        match connection.clear_cached_statements().await {
            Ok(()) => self.settle(),
            Err(_) => self.lose(),
        }
    }

    async fn roll_back(&mut self) {
        let Some(connection) = self.start() else {
            return;
        };
        match connection.execute("ROLLBACK").await {
            Ok(_) => {
                self.settle();
                self.in_transaction = false;
            }
            Err(_) => self.lose(),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(live) = self.live.take() else { return };
        if self.busy {
            // The answer to a statement is still on its way; the server undoes what is open when the socket closes.
            return self.pool.discard(live);
        }
        if self.pinned {
            return self.pool.close_later(live);
        }
        if !self.in_transaction {
            return self.pool.put_back(live);
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return self.pool.discard(live);
        };
        runtime.spawn(return_rolled_back(self.pool.clone(), live, self.permit.take()));
    }
}

/// Undoes an open transaction, then gives the connection back; one that does not obey is closed.
async fn return_rolled_back(pool: Arc<Pool>, mut live: Live, permit: Option<OwnedSemaphorePermit>) {
    match timeout(CONNECTION_WAIT, live.connection.execute("ROLLBACK")).await {
        Ok(Ok(_)) => pool.put_back(live),
        _ => pool.discard(live),
    }
    drop(permit);
}
