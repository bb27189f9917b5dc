//! A lease: the right to do something that one host at a time may do.
//!
//! It is a session advisory lock in the host's own database, on a connection that does nothing else meanwhile. The server frees it when
//! that connection ends, however the host ended.

use std::time::Duration;

use rand::RngExt;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, postgres::PgConnectOptions};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{DatabaseError, connections::Connections};

/// How often a holder makes sure that its connection lives.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// How long the server may take to answer such a check. With [`CHECK_EVERY`] it is shorter than [`SERVER_KEEPALIVE`]: a holder
/// that is cut off stops before the server gives the lease to another.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes the server notice within about eleven seconds that a holder's machine is gone.
pub(super) const SERVER_KEEPALIVE: [(&str, &str); 3] =
    [("tcp_keepalives_idle", "5"), ("tcp_keepalives_interval", "2"), ("tcp_keepalives_count", "3")];

/// Whoever looks at `pg_stat_activity` sees which lease a connection holds or waits for.
const ASK: &str = "SELECT pg_try_advisory_lock($1) FROM set_config('application_name', $2, false)";

/// Whoever comes next finds the connection as it was at first.
const RELEASE: &str = "SELECT pg_advisory_unlock_all() FROM set_config('application_name', 'plaza', false)";

/// How long one waits before asking again for a lease that another holds.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// How long one waits after a failure of the server.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// The leases of one server.
#[derive(Clone)]
pub struct Leases {
    connections: Connections,
}

impl Leases {
    pub(super) fn new(state: PgConnectOptions) -> Self {
        Self { connections: Connections::new(state.options(SERVER_KEEPALIVE)) }
    }

    /// Takes the lease `name` if nobody holds it.
    ///
    /// # Errors
    /// [`DatabaseError::Query`] when the server does not answer.
    pub async fn try_take(&self, name: &str) -> Result<Option<Lease>, DatabaseError> {
        let failed = || DatabaseError::query(format!("ask for the lease `{name}`"));
        let mut connection = self.connect().await.map_err(failed())?;
        if ask(&mut connection, name).await.map_err(failed())? {
            return Ok(Some(Lease::hold(connection, self.connections.clone())));
        }
        give_back(connection, &self.connections).await;
        Ok(None)
    }

    /// Waits until the lease `name` is this host's. A server that is away is waited for as well.
    pub async fn take(&self, name: &str) -> Lease {
        let mut connection = None;
        let mut told = false;
        loop {
            match self.ask_on(&mut connection, name).await {
                Ok(true) => {
                    if let Some(connection) = connection.take() {
                        return Lease::hold(connection, self.connections.clone());
                    }
                }
                Ok(false) => {}
                Err(error) => {
                    connection = None;
                    if !std::mem::replace(&mut told, true) {
                        let reason = super::error::words(&error);
                        tracing::warn!(
                            lease.name = name,
                            reason,
                            "the database does not answer; asking for the lease goes on"
                        );
                    }
                    tokio::time::sleep(FAILURE_PAUSE).await;
                }
            }
            tokio::time::sleep(ask_again_pause()).await;
        }
    }

    /// Asks once, on the connection at hand or a new one.
    async fn ask_on(&self, connection: &mut Option<PgConnection>, name: &str) -> Result<bool, sqlx::Error> {
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(self.connect().await?),
        };
        ask(connection, name).await
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        self.connections.connect(CHECK_TIMEOUT * 2).await
    }
}

/// A lease that is held until it is dropped or its connection is lost.
pub struct Lease {
    held: watch::Receiver<bool>,
    _release: DropGuard,
}

impl Lease {
    /// Returns when it is lost, which it is for good: within about three seconds of losing the server.
    pub async fn lost(&self) {
        // An error means that the keeper has ended, which loses it too.
        drop(self.held.clone().wait_for(|held| !held).await);
    }

    fn hold(connection: PgConnection, connections: Connections) -> Self {
        let release = CancellationToken::new();
        let (report, held) = watch::channel(true);
        tokio::spawn(keep(connection, connections, report, release.clone()));
        Self { held, _release: release.drop_guard() }
    }
}

/// Checks the connection until the lease is released or lost.
async fn keep(
    mut connection: PgConnection,
    connections: Connections,
    report: watch::Sender<bool>,
    release: CancellationToken,
) {
    loop {
        tokio::select! {
            () = release.cancelled() => break,
            () = tokio::time::sleep(CHECK_EVERY) => {}
        }
        let check = timeout(CHECK_TIMEOUT, sqlx::query("SELECT 1").execute(&mut connection)).await;
        if !matches!(check, Ok(Ok(_))) {
            report.send_replace(false);
            return;
        }
    }
    report.send_replace(false);
    give_back(connection, &connections).await;
}

/// Frees what a connection holds and keeps it for the next who asks.
async fn give_back(mut connection: PgConnection, connections: &Connections) {
    if let Ok(Ok(_)) = timeout(CHECK_TIMEOUT, sqlx::query(RELEASE).execute(&mut connection)).await {
        connections.keep(connection);
    }
}

async fn ask(connection: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    let asking = sqlx::query_scalar(ASK).bind(lock_key(name)).bind(format!("plaza lease {name}"));
    match timeout(CHECK_TIMEOUT * 2, asking.fetch_one(connection)).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

/// [`ASK_AGAIN`], give or take a fifth, so that hosts do not ask in step.
fn ask_again_pause() -> Duration {
    ASK_AGAIN.mul_f64(rand::rng().random_range(0.8..1.2))
}

/// Advisory locks have numbers, leases have names.
fn lock_key(name: &str) -> i64 {
    let hash = Sha256::new().chain_update("lease/").chain_update(name).finalize();
    hash.iter().take(8).fold(0, |key, byte| key << 8 | i64::from(*byte))
}
