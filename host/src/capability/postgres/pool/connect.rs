//! Making a connection.

use super::super::address::Address;
use super::super::failure::{self, Failure};
use crate::blocked_networks::{Blocked, BlockedNetworks};
use crate::limits::CONNECTION_WAIT;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection as _, PgConnection};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::time::{Instant, sleep, timeout_at};

/// The first and the longest pause between attempts.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// Connects to what is not `blocked`, again and again while the server is starting, for [`CONNECTION_WAIT`].
pub async fn connect(address: &Address, blocked: &BlockedNetworks) -> Result<PgConnection, Failure> {
    let deadline = Instant::now() + CONNECTION_WAIT;
    let mut pause = RETRY_PAUSE.0;
    loop {
        let error = match timeout_at(deadline, attempt(address, blocked)).await {
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

/// Connects once, to the first address of the server that answers and is not `blocked`.
async fn attempt(address: &Address, blocked: &BlockedNetworks) -> Result<PgConnection, sqlx::Error> {
    let Address { host, port, options, second } = address;
    if blocked.is_empty() {
        return either_way(options, second.as_ref()).await;
    }
    let found: Vec<SocketAddr> = lookup_host((host.trim_matches(['[', ']']), *port)).await?.collect();
    let passed = blocked.pass(found.iter().copied()).map_err(io::Error::from)?;
    if goes_by_name(options) && passed.len() < found.len() {
        return Err(io::Error::from(Blocked).into());
    }
    let mut failed = sqlx::Error::Io(io::ErrorKind::NotFound.into());
    for passed in passed {
        let second = second.as_ref().map(|second| at(second, passed.ip()));
        match either_way(&at(options, passed.ip()), second.as_ref()).await {
            Err(error @ sqlx::Error::Io(_)) => failed = error,
            ended => return ended,
        }
    }
    Err(failed)
}

/// The same with the address that was judged in the place of the name, which may lead elsewhere a moment later.
fn at(options: &PgConnectOptions, address: IpAddr) -> PgConnectOptions {
    if goes_by_name(options) { options.clone() } else { options.clone().host(&address.to_string()) }
}

/// Whether the server must show that it is the one of that name, for which sqlx must know the name.
fn goes_by_name(options: &PgConnectOptions) -> bool {
    matches!(options.get_ssl_mode(), PgSslMode::VerifyFull)
}

/// Connects, the second way where the server does not want the first.
async fn either_way(
    options: &PgConnectOptions,
    second: Option<&PgConnectOptions>,
) -> Result<PgConnection, sqlx::Error> {
    match (PgConnection::connect_with(options).await, second) {
        (Err(error), Some(second)) if failure::is_turned_away(&error) => PgConnection::connect_with(second).await,
        (connected, _) => connected,
    }
}
