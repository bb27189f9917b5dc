//! Making a connection.

use super::super::address::Address;
use super::super::failure::{self, Failure};
use crate::limits::CONNECTION_WAIT;
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// The first and the longest pause between attempts.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// Connects, again and again while the server is starting, for [`CONNECTION_WAIT`].
pub async fn connect(address: &Address) -> Result<PgConnection, Failure> {
    let deadline = Instant::now() + CONNECTION_WAIT;
    let mut pause = RETRY_PAUSE.0;
    loop {
        let error = match timeout_at(deadline, attempt(address)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error,
            Err(_) => return Err(no_answer(address)),
        };
        if !failure::may_pass(&error) || Instant::now() + pause >= deadline {
            return Err(failure::of_connecting(&error, &address.host, address.port));
        }
        sleep(pause).await;
        pause = (pause * 2).min(RETRY_PAUSE.1);
    }
}

/// What is said when there is no connection in time.
pub fn no_answer(Address { host, port, .. }: &Address) -> Failure {
    let seconds = CONNECTION_WAIT.as_secs();
    failure::connection(format!("the database at {host}:{port} did not answer within {seconds} s"))
}

/// Connects once, the second way where the server does not want the first.
async fn attempt(Address { options, second, .. }: &Address) -> Result<PgConnection, sqlx::Error> {
    match (PgConnection::connect_with(options).await, second) {
        (Err(error), Some(second)) if failure::is_turned_away(&error) => PgConnection::connect_with(second).await,
        (connected, _) => connected,
    }
}
