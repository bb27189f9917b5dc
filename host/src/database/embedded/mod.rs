//! A PostgreSQL server of the host's own, in the state folder.
//!
//! The host starts `postgres` as a child in a process group of its own, so that Ctrl-C in a terminal reaches the host
//! alone and the server is stopped last. If the server ends by itself, the host starts it again (`supervisor`). If the host is
//! killed, a watcher stops the server; what is left all the same is stopped by the next start (`left_over`).

mod account;
mod archive;
mod data;
mod folder;
mod install;
mod left_over;
mod process;
mod programs;
mod supervisor;

use std::path::Path;

use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::folder::StateLock;
use self::{account::Account, folder::StateFolder, process::Process, programs::Programs};
use super::{
    DatabaseError,
    server::{Server, embedded_options},
};

/// The role that owns the server.
const ADMINISTRATOR: &str = "plaza_admin";

/// What a server is started on.
struct Ground {
    folder: StateFolder,
    programs: Programs,
    account: Account,
    password: String,
    /// How many it takes.
    connections: u32,
}

impl Ground {
    fn start_error(&self, output: &str) -> DatabaseError {
        DatabaseError::Start { output: output.to_owned(), remedy: "", log: self.folder.log() }
    }
}

/// The running server. Dropping it asks it to stop; [`EmbeddedServer::stop`] waits for that as well.
pub(super) struct EmbeddedServer {
    stop: DropGuard,
    supervisor: JoinHandle<Result<(), DatabaseError>>,
    lost: watch::Receiver<Option<Loss>>,
}

/// The server ended and cannot be started again.
#[derive(Clone)]
struct Loss {
    starts: u32,
    reason: String,
}

impl EmbeddedServer {
    /// Makes the data folder if there is none, starts the server for so many connections and waits until it accepts them.
    pub(super) async fn start(
        state_dir: &Path,
        programs: Option<&Path>,
        connections: u32,
    ) -> Result<(Server, Self), DatabaseError> {
        let folder = StateFolder::open(state_dir)?;
        let account = Account::choose()?;
        let programs = Programs::find(programs, &folder).await?;
        account.check_reach(&folder, &programs)?;
        left_over::stop(&folder).await?;
        let password = data::prepare(&folder, &programs, &account).await?;
        let ground = Ground { folder, programs, account, password, connections };
        let process = Process::start(&ground).await?;
        let options = embedded_options(process.socket(), process.port(), ADMINISTRATOR, &ground.password);
        let server = Server::embedded(options, process.port());
        let stop = CancellationToken::new();
        let (report, lost) = watch::channel(None);
        let supervisor = tokio::spawn(supervisor::supervise(process, ground, stop.clone(), report));
        Ok((server, Self { stop: stop.drop_guard(), supervisor, lost }))
    }

    /// Ends every connection in order and waits for the server's end.
    pub(super) async fn stop(self) -> Result<(), DatabaseError> {
        drop(self.stop);
        // A supervisor that was aborted went down with its runtime; the watcher does its work.
        self.supervisor.await.unwrap_or(Ok(()))
    }

    /// Returns when the server has ended and cannot be started again.
    pub(super) fn lost(&self) -> impl Future<Output = DatabaseError> + use<> {
        let mut lost = self.lost.clone();
        async move {
            let loss = lost.wait_for(Option::is_some).await.ok().and_then(|loss| loss.clone());
            match loss {
                Some(Loss { starts, reason }) => DatabaseError::Lost { starts, reason },
                // It was stopped in order.
                None => std::future::pending().await,
            }
        }
    }
}
