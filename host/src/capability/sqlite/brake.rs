//! What stops a statement. SQLite asks as it works, so nothing is missed that was said before it began.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::Failure;

/// How many instructions of SQLite's machine pass from one question to the next: a fraction of a millisecond.
const INSTRUCTIONS: i32 = 10_000;

/// Why a statement has to stop: its connection is closed, nobody waits for it, or it has computed for too long without a row.
#[derive(Clone)]
pub struct Brake {
    closed: Arc<AtomicBool>,
    given_up: Arc<AtomicBool>,
    until: Arc<Mutex<Instant>>,
    time: Duration,
}

impl Brake {
    /// A brake for one statement on a connection that may be `closed`. The statement may take `time` to each of its rows.
    pub fn new(closed: Arc<AtomicBool>, time: Duration) -> Self {
        Self { closed, given_up: Arc::default(), until: Arc::new(Mutex::new(Instant::now() + time)), time }
    }

    /// Lays it on a connection, until another is.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn lay_on(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let brake = self.clone();
        connection.progress_handler(INSTRUCTIONS, Some(move || brake.stops()))
    }

    /// The time begins anew.
    pub fn restart(&self) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + self.time;
    }

    /// Nobody waits for the statement any more.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
    }

    /// Why the statement was stopped, if it was.
    pub fn failure(&self) -> Failure {
        match self.is_over() {
            true => Failure::TooLong(self.time),
            false => Failure::Statement("nobody waits for the statement any more".to_owned()),
        }
    }

    fn stops(&self) -> bool {
        self.closed.load(Ordering::Acquire) || self.given_up.load(Ordering::Acquire) || self.is_over()
    }

    fn is_over(&self) -> bool {
        Instant::now() >= *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
