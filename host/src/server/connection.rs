//! One connection: HTTP/1.1 or HTTP/2, over TLS or plain, with its time-outs.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

use super::{
    activity::Activity,
    exchange::{self, Directory},
    proxies::TrustedProxies,
    stall::{Patience, StallGuard},
};
use crate::{
    limits::{HTTP2_STREAMS, HostLimits, LEAST_HEADER_BYTES},
    tls::Identity,
};

/// How connections are treated.
pub struct Settings {
    builder: Builder<TokioExecutor>,
    patience: Patience,
    idle_timeout: Duration,
    client: exchange::Patience,
    pub(super) identity: Option<Identity>,
    proxies: TrustedProxies,
    /// How many there may be.
    pub(super) connections: usize,
}

impl Settings {
    /// The protocol's settings for these limits, what is shown over TLS if that is spoken, and who is believed.
    pub fn new(limits: &HostLimits, identity: Option<Identity>, proxies: TrustedProxies) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        // hyper's own time-out for a head runs while a connection stands idle, too; the stream's guard tells them apart.
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_buf_size(limits.header_bytes.max(LEAST_HEADER_BYTES));
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(HTTP2_STREAMS)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(limits.idle_timeout)
            .keep_alive_timeout(limits.header_timeout);
        let patience = Patience { head: limits.header_timeout, write: limits.idle_timeout };
        let client = exchange::Patience { body: limits.body_timeout, unread: limits.unread_timeout };
        let (idle_timeout, connections) = (limits.idle_timeout, limits.connections);
        Self { builder, patience, idle_timeout, client, identity, proxies, connections }
    }
}

/// Serves a connection until its client leaves, it stalls, it stands idle, or the server stops.
pub async fn serve(
    stream: TcpStream,
    address: SocketAddr,
    directory: Arc<ArcSwap<Directory>>,
    settings: &Settings,
    stop: CancellationToken,
) {
    let Some(identity) = &settings.identity else {
        return converse(stream, address, false, directory, settings, stop).await;
    };
    match shake_hands(&TlsAcceptor::from(identity.config()), stream, settings.patience.head, &stop).await {
        // Boxed, so that connections without TLS need no room for it.
        Ok(stream) => Box::pin(converse(stream, address, true, directory, settings, stop)).await,
        Err(error) => tracing::debug!(peer = %address, %error, "a client does not come to speak TLS"),
    }
}

/// The handshake, for which a client has as long as for a head.
async fn shake_hands(
    tls: &TlsAcceptor,
    stream: TcpStream,
    patience: Duration,
    stop: &CancellationToken,
) -> io::Result<TlsStream<TcpStream>> {
    let too_slow = || io::Error::new(io::ErrorKind::TimedOut, "the handshake takes too long");
    tokio::select! {
        shaken = tokio::time::timeout(patience, tls.accept(stream)) => shaken.map_err(|_| too_slow())?,
        () = stop.cancelled() => Err(io::Error::new(io::ErrorKind::Interrupted, "the server stops")),
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    over_tls: bool,
    directory: Arc<ArcSwap<Directory>>,
    settings: &Settings,
    stop: CancellationToken,
) {
    let activity = Activity::new();
    let service = service_fn(|mut request: Request<Incoming>| {
        // Each request is led by the routes of the moment when it came.
        let (directory, exchange) = (directory.load_full(), activity.begin());
        let mut origin = settings.proxies.origin(peer, request.headers_mut());
        origin.by_tls |= over_tls;
        let patience = settings.client;
        async move {
            let answer = exchange::answer(&directory, origin, request, patience).await;
            Ok::<_, Infallible>(answer.map(|body| body.during(exchange)))
        }
    });
    let io = TokioIo::new(StallGuard::new(stream, activity.clone(), settings.patience));
    let mut connection = pin!(settings.builder.serve_connection(io, service));
    let enough = async {
        tokio::select! {
            () = stop.cancelled() => {}
            () = activity.idle(settings.idle_timeout) => {}
        }
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = enough => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, error = %error, "a connection broke off");
    }
}
