//! A PostgreSQL server of the host's own, in the state folder.
//!
//! The host starts `postgres` as a child in a process group of its own, so that Ctrl-C in a terminal reaches the host
//! alone and the server is stopped last. If the host is killed, a watcher stops the server; what is left all the same is
//! stopped by the next start.

mod account;
mod data;
mod folder;
mod left_over;
mod process;
mod programs;

use std::path::Path;

use tokio::{sync::oneshot, task::JoinHandle};

use self::{account::Account, folder::StateFolder, process::Process, programs::Programs};
use super::{
    DatabaseError,
    server::{Server, embedded_options},
};

/// The role that owns the server.
const ADMINISTRATOR: &str = "plaza_admin";

/// The running server. Dropping it asks it to stop; [`EmbeddedServer::stop`] waits for that as well.
pub(super) struct EmbeddedServer {
    stop: oneshot::Sender<()>,
    supervisor: JoinHandle<Result<(), DatabaseError>>,
}

impl EmbeddedServer {
    /// Makes the data folder if there is none, starts the server and waits until it accepts connections.
    pub(super) async fn start(state_dir: &Path) -> Result<(Server, Self), DatabaseError> {
        let folder = StateFolder::open(state_dir)?;
        let account = Account::choose()?;
        let programs = Programs::find(folder.data_version()?.as_deref(), &folder)?;
        account.check_reach(&folder, &programs)?;
        left_over::stop(&folder).await?;
        let password = data::prepare(&folder, &programs, &account).await?;
        let process = Process::start(&folder, &programs, &account, &password).await?;
        let options = embedded_options(process.socket(), process.port(), ADMINISTRATOR, &password);
        let server = Server::embedded(options, process.port());
        let (stop, stopped) = oneshot::channel();
        let supervisor = tokio::spawn(supervise(process, folder, stopped));
        Ok((server, Self { stop, supervisor }))
    }

    /// Ends every connection in order and waits for the server's end.
    pub(super) async fn stop(self) -> Result<(), DatabaseError> {
        drop(self.stop);
        // A supervisor that was aborted went down with its runtime; the watcher does its work.
        self.supervisor.await.unwrap_or(Ok(()))
    }
}

/// Waits for the wish to stop. The folder stays locked until the server has ended.
async fn supervise(
    mut process: Process,
    folder: StateFolder,
    stopped: oneshot::Receiver<()>,
) -> Result<(), DatabaseError> {
    tokio::select! {
        // Sent or dropped, both mean stop.
        _ = stopped => process.stop().await,
        status = process.ended() => {
            let log = folder.log().display().to_string();
            tracing::error!(database.status = status, database.log = log, "PostgreSQL ended unexpectedly; restart plaza");
            Ok(())
        }
    }
}
