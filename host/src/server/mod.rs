//! Accepting connections and handing each to a core.
//!
//! One listener accepts and gives every connection to the core with the fewest. Several listeners on one port
//! (SO_REUSEPORT) would leave that to a hash, which puts few connections on one core, and a listener that closes
//! would lose what waits in its backlog.

mod access;
mod activity;
mod connection;
mod exchange;
mod fixed;
mod forwarded;
mod headers;
mod incoming;
mod outgoing;
mod problem;
mod proxies;
mod silence;
mod stall;
mod within;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use connection::Settings;
pub use exchange::Directory;
pub use problem::Problem;
pub use proxies::{Proxies, ProxiesError, TrustedProxies};
pub use within::{Caller, answer_within};

use crate::limits::REFUSED_PAUSE;

/// Where a server listens.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// Whether one of the ports behind it will do as well, where another program has that one.
    pub or_behind: bool,
}

/// A listener that serves until it is stopped.
pub struct Server {
    /// The address it listens on.
    pub address: SocketAddr,
    stop: CancellationToken,
    connections: TaskTracker,
    acceptor: tokio::task::JoinHandle<()>,
}

/// A core and how many connections it has.
struct Core {
    runtime: Handle,
    connections: AtomicUsize,
}

impl Server {
    /// Listens, and serves on the given runtimes.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(
        listen: Listen,
        directory: Arc<ArcSwap<Directory>>,
        settings: Settings,
        runtimes: &[Handle],
    ) -> io::Result<Self> {
        let listener = listen.bind(None).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let connections = TaskTracker::new();
        if let Some(identity) = settings.identity.clone() {
            tokio::spawn(stop.clone().run_until_cancelled_owned(identity.keep_up()));
        }
        let acceptor = Acceptor {
            listener,
            directory,
            places: Arc::new(Semaphore::new(settings.connections)),
            settings: Arc::new(settings),
            cores: runtimes.iter().map(|runtime| Arc::new(Core::new(runtime.clone()))).collect(),
            stop: stop.clone(),
            connections: connections.clone(),
        };
        Ok(Self { address, stop, connections, acceptor: tokio::spawn(acceptor.run()) })
    }

    /// Accepts nothing more and lets what is in flight finish; returns whether it all did within `patience`.
    pub async fn stop(self, patience: Duration) -> bool {
        self.stop.cancel();
        _ = self.acceptor.await;
        self.connections.close();
        tokio::time::timeout(patience, self.connections.wait()).await.is_ok()
    }
}

impl Listen {
    /// A listener there. A port that is to be left to somebody else is none that will do as well.
    ///
    /// # Errors
    /// When none can be had.
    pub async fn bind(mut self, left: Option<u16>) -> io::Result<TcpListener> {
        loop {
            if self.or_behind && left == Some(self.address.port()) {
                let next = self.address.port().checked_add(1).ok_or(io::ErrorKind::AddrInUse)?;
                self.address.set_port(next);
            }
            match TcpListener::bind(self.address).await {
                Err(error) if self.or_behind && error.kind() == io::ErrorKind::AddrInUse => {
                    let next = self.address.port().checked_add(1).ok_or(error)?;
                    self.address.set_port(next);
                }
                bound => return bound,
            }
        }
    }
}

impl Core {
    fn new(runtime: Handle) -> Self {
        Self { runtime, connections: AtomicUsize::new(0) }
    }
}

struct Acceptor {
    listener: TcpListener,
    directory: Arc<ArcSwap<Directory>>,
    settings: Arc<Settings>,
    places: Arc<Semaphore>,
    cores: Vec<Arc<Core>>,
    stop: CancellationToken,
    connections: TaskTracker,
}

impl Acceptor {
    async fn run(self) {
        while let Some(accepted) = self.stop.run_until_cancelled(self.accept()).await {
            match accepted {
                Ok((place, stream, peer)) => self.hand_over(place, stream, peer),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(REFUSED_PAUSE).await;
                }
            }
        }
    }

    async fn accept(&self) -> io::Result<(tokio::sync::OwnedSemaphorePermit, std::net::TcpStream, SocketAddr)> {
        let place = self.places.clone().acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = self.listener.accept().await?;
        // Without it, an answer in two segments waits for the client's delayed acknowledgement.
        stream.set_nodelay(true)?;
        Ok((place, stream.into_std()?, peer))
    }

    fn hand_over(&self, place: tokio::sync::OwnedSemaphorePermit, stream: std::net::TcpStream, peer: SocketAddr) {
        let Some(core) = self.cores.iter().min_by_key(|core| core.connections.load(Ordering::Relaxed)).cloned() else {
            return;
        };
        core.connections.fetch_add(1, Ordering::Relaxed);
        let (directory, settings, stop) = (self.directory.clone(), self.settings.clone(), self.stop.clone());
        let runtime = core.runtime.clone();
        let connection = async move {
            match TcpStream::from_std(stream) {
                Ok(stream) => connection::serve(stream, peer, directory, &settings, stop).await,
                Err(error) => tracing::warn!(%error, "a connection could not be handed over"),
            }
            core.connections.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        };
        runtime.spawn(self.connections.track_future(connection));
    }
}
