//! The socket below a connection, encrypted or not.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, LazyLock},
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};
use tokio_rustls::TlsConnector;

use super::{Reach, RedisAddress};
use crate::{private_network::is_private, tls};

/// What bytes go through.
pub(super) type Stream = Box<dyn Transport>;

/// A socket, or what encrypts one.
pub(super) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Whom we trust: Mozilla's certificate authorities, and those of this machine, as whoever runs a Redis of its own has there.
static TLS: LazyLock<Result<Arc<ClientConfig>, rustls::Error>> = LazyLock::new(|| {
    let mut trusted = tls::mozilla();
    trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    tls::client(trusted).map(Arc::new)
});

/// Connects to where the address says, as far as `reach` goes.
pub(super) async fn connect(address: &RedisAddress, reach: Reach) -> io::Result<Stream> {
    let found = lookup_host((address.host.as_str(), address.port)).await?;
    let is_reached = |found: &SocketAddr| reach == Reach::Everywhere || !is_private(found.ip());
    let (reached, kept_from): (Vec<SocketAddr>, Vec<SocketAddr>) = found.partition(is_reached);
    if reached.is_empty() && !kept_from.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it leads to this machine or a private network, which a wildcard does not grant; name it in allowed_outbound_hosts",
        ));
    }
    let stream = TcpStream::connect(&*reached).await?;
    // A command must not wait for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    if !address.is_secure {
        return Ok(Box::new(stream));
    }
    let config = TLS.as_ref().map_err(io::Error::other)?;
    let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
    Ok(Box::new(TlsConnector::from(config.clone()).connect(name, stream).await?))
}
