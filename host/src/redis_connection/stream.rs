//! The socket below a connection, encrypted or not.

use std::{
    io,
    sync::{Arc, LazyLock},
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};
use tokio_rustls::TlsConnector;

use super::RedisAddress;
use crate::{blocked_networks::BlockedNetworks, tls};

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

/// Connects to where the address says, unless that is `blocked`.
pub(super) async fn connect(address: &RedisAddress, blocked: &BlockedNetworks) -> io::Result<Stream> {
    let found = lookup_host((address.host.as_str(), address.port)).await?;
    let stream = TcpStream::connect(&*blocked.pass(found)?).await?;
    // A command must not wait for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    if !address.is_secure {
        return Ok(Box::new(stream));
    }
    let config = TLS.as_ref().map_err(io::Error::other)?;
    let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
    Ok(Box::new(TlsConnector::from(config.clone()).connect(name, stream).await?))
}
