//! Opens connections: name, address, TCP, TLS.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, lookup_host},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::either::Either;
use tower::Service;

use super::{error::ConnectError, send::Destination};
use crate::{blocked_networks::BlockedNetworks, limits::OUTBOUND_CONNECT_TIMEOUT, tls};

tokio::task_local! {
    /// The time that the request on whose behalf a connection is opened allows for it. The pool asks for a connection
    /// while the request's own future is polled, which is where this is set.
    pub(super) static CONNECT_TIMEOUT: Duration;
}

/// Opens connections for one component.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) blocked: Arc<BlockedNetworks>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let timeout = CONNECT_TIMEOUT.try_with(|timeout| *timeout).unwrap_or(OUTBOUND_CONNECT_TIMEOUT);
        let blocked = self.blocked.clone();
        Box::pin(async move {
            let connecting = connect(uri, &blocked);
            tokio::time::timeout(timeout, connecting).await.map_err(|_| ConnectError::TimedOut)?
        })
    }
}

async fn connect(uri: Uri, blocked: &BlockedNetworks) -> Result<TokioIo<Wire>, ConnectError> {
    let destination = Destination::of(&uri).map_err(|_| ConnectError::Name)?;
    let reachable = blocked.pass(resolve(&destination).await?).map_err(|_| ConnectError::Prohibited)?;
    let stream = TcpStream::connect(&*reachable).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectError::Refused,
        _ => ConnectError::Unreachable,
    })?;
    // Small requests must not wait for the acknowledgement of the ones before.
    stream.set_nodelay(true).map_err(|_| ConnectError::Unreachable)?;
    if uri.scheme() == Some(&Scheme::HTTPS) {
        return Ok(TokioIo::new(Wire(Either::Right(secure(stream, destination.host).await?))));
    }
    Ok(TokioIo::new(Wire(Either::Left(stream))))
}

async fn resolve(destination: &Destination) -> Result<Vec<SocketAddr>, ConnectError> {
    if let Ok(address) = destination.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, destination.port)]);
    }
    let found = lookup_host((destination.host.as_str(), destination.port)).await.map_err(|_| ConnectError::Name)?;
    let addresses: Vec<SocketAddr> = found.collect();
    if addresses.is_empty() { Err(ConnectError::Name) } else { Ok(addresses) }
}

/// What we trust: Mozilla's certificate authorities, the same on every machine.
static TLS: LazyLock<Result<Arc<ClientConfig>, rustls::Error>> =
    LazyLock::new(|| tls::client(tls::mozilla()).map(Arc::new));

async fn secure(stream: TcpStream, host: String) -> Result<TlsStream<TcpStream>, ConnectError> {
    let config = TLS.as_ref().map_err(|_| ConnectError::Tls)?;
    let name = ServerName::try_from(host).map_err(|_| ConnectError::Name)?;
    TlsConnector::from(config.clone()).connect(name, stream).await.map_err(|error| {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        match cause {
            Some(rustls::Error::InvalidCertificate(_)) => ConnectError::Certificate,
            _ => ConnectError::Tls,
        }
    })
}

/// An open connection, plain or encrypted.
pub(super) struct Wire(Either<TcpStream, TlsStream<TcpStream>>);

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
