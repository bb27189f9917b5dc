//! Connections that are needed now and then, each for a moment: one that is done with is kept for the next. To make one costs the
//! server a process and both sides the proof of a password, which customers would wait for.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::timeout;

use super::server::{self, ANSWER_TIMEOUT};

/// How long one is kept that nobody needs: for as long as a row of deploys goes on.
const KEPT_TIME: Duration = Duration::from_secs(60);

/// Connections to one database as one role.
#[derive(Clone)]
pub(super) struct Connections {
    options: PgConnectOptions,
    spare: Arc<Mutex<Option<Spare>>>,
}

/// One that nobody uses.
struct Spare {
    connection: PgConnection,
    since: Instant,
}

impl Connections {
    /// Those that are made so. None is made yet.
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options, spare: Arc::default() }
    }

    /// The one that was kept, if it still answers, else a new one.
    pub(super) async fn connect(&self, within: Duration) -> Result<PgConnection, sqlx::Error> {
        let spare = lock(&self.spare).take();
        if let Some(Spare { mut connection, .. }) = spare
            && let Ok(Ok(())) = timeout(ANSWER_TIMEOUT.min(within), connection.ping()).await
        {
            return Ok(connection);
        }
        server::connect(&self.options, within).await
    }

    /// Keeps one for the next who asks. It holds no lock, and nothing was done to its session that the next must not find.
    pub(super) fn keep(&self, connection: PgConnection) {
        let former = lock(&self.spare).replace(Spare { connection, since: Instant::now() });
        let spares = Arc::downgrade(&self.spare);
        tokio::spawn(async move {
            close(former).await;
            tokio::time::sleep(KEPT_TIME).await;
            let Some(spares) = spares.upgrade() else { return };
            // A later one has its own time.
            let unused = lock(&spares).take_if(|spare| spare.since.elapsed() >= KEPT_TIME);
            close(unused).await;
        });
    }
}

async fn close(spare: Option<Spare>) {
    if let Some(Spare { connection, .. }) = spare {
        drop(timeout(ANSWER_TIMEOUT, connection.close()).await);
    }
}

fn lock(spare: &Mutex<Option<Spare>>) -> MutexGuard<'_, Option<Spare>> {
    spare.lock().unwrap_or_else(PoisonError::into_inner)
}
