//! What lies between a host and its database server, and can be cut: what is on its way then is lost.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinHandle},
};

/// Connections to a server on this machine, through a port of its own.
pub struct Cable {
    port: u16,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
    accepting: JoinHandle<()>,
}

impl Cable {
    /// Lays one to the server on this port.
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let connections: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let laid = connections.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((mut host, _)) = listener.accept().await {
                let connection = tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await {
                        _ = copy_bidirectional(&mut host, &mut server).await;
                    }
                });
                laid.lock().unwrap_or_else(PoisonError::into_inner).push(connection.abort_handle());
            }
        });
        Self { port, connections, accepting }
    }

    /// Where the server seems to be.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections that there are. New ones may be made.
    pub fn cut(&self) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.drain(..).for_each(|connection| connection.abort());
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}
