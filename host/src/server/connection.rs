//! One connection: HTTP/1.1 or HTTP/2, with its time-outs.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::{
    activity::Activity,
    exchange::{self, Directory},
    stall::{Patience, StallGuard},
};
use crate::limits::HostLimits;

/// Streams that one HTTP/2 connection may have open.
const HTTP2_STREAMS: u32 = 256;

/// How connections are treated.
pub struct Settings {
    builder: Builder<TokioExecutor>,
    patience: Patience,
    idle_timeout: Duration,
}

impl Settings {
    /// The protocol's settings for these limits.
    pub fn new(limits: &HostLimits) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        // hyper's own time-out for a head runs while a connection stands idle, too; the stream's guard tells them apart.
        builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(limits.header_bytes.max(8192));
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(HTTP2_STREAMS)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(limits.idle_timeout)
            .keep_alive_timeout(limits.header_timeout);
        let patience = Patience { head: limits.header_timeout, write: limits.idle_timeout };
        Self { builder, patience, idle_timeout: limits.idle_timeout }
    }
}

/// Serves a connection until its client leaves, it stalls, it stands idle, or the server stops.
pub async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    directory: Arc<Directory>,
    settings: &Settings,
    stop: CancellationToken,
) {
    let activity = Activity::new();
    let service = service_fn(|request: Request<Incoming>| {
        let (directory, exchange) = (directory.clone(), activity.begin());
        async move {
            let answer = exchange::answer(&directory, peer, request).await;
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
