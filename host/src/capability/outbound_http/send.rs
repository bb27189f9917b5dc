//! One request: grant, connection, answer.

use std::{pin::pin, sync::Arc, time::Duration};

use http::{Request, Response, Uri, uri::Scheme};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::capture_connection},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody};

use super::{
    body::ResponseBody,
    chain::{Chain, ChainTarget},
    connector::{CONNECT_TIMEOUT, Connector},
    error::translate,
};
use crate::{
    blocked_networks::{Blocked, BlockedNetworks},
    limits::{
        OUTBOUND_CONNECT_TIMEOUT, OUTBOUND_IDLE_CONNECTION, OUTBOUND_IDLE_CONNECTIONS, OUTBOUND_READ_TIMEOUT,
        OUTBOUND_REQUESTS,
    },
    refusals::Refusals,
};

/// The addresses a component may call.
pub trait Grants: Send + Sync {
    /// Whether the manifest grants this address. `host` is a name or an IP address, without brackets.
    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool;

    /// Whether the manifest grants requests to the application's own routes.
    fn allows_self(&self) -> bool;

    /// Whether the component may because of an entry that names this host or the domain it is in, as against one for every host.
    fn names_domain(&self, scheme: &str, host: &str, port: u16) -> bool;
}

/// How one component sends HTTP requests. It owns the component's open connections, which are therefore shared neither
/// with other components nor, when each core makes its own, across threads.
pub struct OutboundHttpSettings {
    component: Arc<str>,
    grants: Arc<dyn Grants>,
    chain: Option<Arc<dyn Chain>>,
    client: Client<Connector, WasiBody>,
    requests: Arc<Semaphore>,
    refusals: Refusals,
}

impl OutboundHttpSettings {
    /// For `component`, which may call what `grants` say, as far as it is not `blocked`. Without a `chain`, requests within the
    /// application are refused.
    pub fn new(
        component: Arc<str>,
        grants: Arc<dyn Grants>,
        blocked: Arc<BlockedNetworks>,
        chain: Option<Arc<dyn Chain>>,
    ) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(OUTBOUND_IDLE_CONNECTION)
            .pool_max_idle_per_host(OUTBOUND_IDLE_CONNECTIONS)
            .build(Connector { blocked });
        let requests = Arc::new(Semaphore::new(OUTBOUND_REQUESTS));
        Self { component, grants, chain, client, requests, refusals: Refusals::default() }
    }

    pub(super) async fn send(&self, request: Request<WasiBody>, options: RequestOptions) -> Result<Response<WasiBody>> {
        let destination = Destination::of(request.uri())?;
        let target = ChainTarget::of(&destination.host);
        // Whoever may call every host, at addresses that others give it perhaps, was not meant to call what no route leads to.
        let is_granted = match target {
            Some(ChainTarget::Component(_)) => {
                self.grants.names_domain(destination.scheme, &destination.host, destination.port)
            }
            Some(ChainTarget::Itself) => self.grants.allows_self(),
            None => self.grants.allows(destination.scheme, &destination.host, destination.port),
        };
        if !is_granted {
            self.tell_denied(&destination);
            return Err(Error::HttpRequestDenied);
        }
        match target {
            Some(target) => self.send_within(target, request, options).await,
            None => self.send_out(request, options, &destination).await,
        }
    }

    /// Has a request answered within the application. There is nothing to connect to; where the guest sets no other times, whoever
    /// answers has its own.
    async fn send_within(
        &self,
        target: ChainTarget,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>> {
        let Some(chain) = &self.chain else {
            tracing::warn!(
                component = &*self.component,
                ?target,
                "a request within the application was refused: this host does not serve `self` and `*.spin.internal`; \
                 import the other component's interface, or call its public address",
            );
            return Err(Error::HttpRequestDenied);
        };
        let permit = self.permit(options.connect_timeout.unwrap_or(OUTBOUND_CONNECT_TIMEOUT)).await?;
        let asking = chain.call(target, request);
        let response = match options.first_byte_timeout {
            Some(first_byte) => timeout(first_byte, asking).await.map_err(|_| Error::ConnectionReadTimeout)??,
            None => asking.await?,
        };
        Ok(response.map(|body| ResponseBody::new(body, options.between_bytes_timeout, permit).boxed_unsync()))
    }

    async fn send_out(
        &self,
        mut request: Request<WasiBody>,
        options: RequestOptions,
        destination: &Destination,
    ) -> Result<Response<WasiBody>> {
        let connect = options.connect_timeout.unwrap_or(OUTBOUND_CONNECT_TIMEOUT);
        let first_byte = options.first_byte_timeout.unwrap_or(OUTBOUND_READ_TIMEOUT);
        let between_bytes = options.between_bytes_timeout.unwrap_or(OUTBOUND_READ_TIMEOUT);

        let permit = self.permit(connect).await?;
        let mut connection = capture_connection(&mut request);
        let connected = async { drop(connection.wait_for_connection_metadata().await) };
        let mut sending = pin!(CONNECT_TIMEOUT.scope(connect, self.client.request(request)));
        // The time for the first byte begins with the connection, for which there is a time of its own.
        let response = tokio::select! {
            biased;
            response = &mut sending => Ok(response),
            () = connected => timeout(first_byte, sending).await,
        };
        let response = response
            .map_err(|_| Error::ConnectionReadTimeout)?
            .map_err(|error| translate(&error))
            .inspect_err(|error| self.tell_failed(destination, error))?;
        Ok(response.map(|body| {
            let body = body.map_err(|error| translate(&error));
            ResponseBody::new(body, Some(between_bytes), permit).boxed_unsync()
        }))
    }

    /// What one request under way takes, until its answer has ended.
    async fn permit(&self, patience: Duration) -> Result<OwnedSemaphorePermit> {
        let permit = timeout(patience, self.requests.clone().acquire_owned()).await;
        permit.map_err(|_| Error::ConnectionLimitReached)?.map_err(|_| Error::ConnectionLimitReached)
    }

    fn tell_denied(&self, destination: &Destination) {
        let Destination { scheme, host, .. } = destination;
        let address = destination.to_string();
        if self.refusals.is_first(&address) {
            tracing::warn!(
                component = &*self.component,
                host = &**host,
                "a request to {address} was refused; to allow it, add \"{address}\" to allowed_outbound_hosts of \
                 component {} (told once; scheme {scheme})",
                self.component,
            );
        }
    }

    fn tell_failed(&self, destination: &Destination, error: &Error) {
        let address = destination.to_string();
        if matches!(error, Error::DestinationIpProhibited) && self.refusals.is_first(&address) {
            tracing::warn!(
                component = &*self.component,
                host = &*destination.host,
                "a request to {address} was refused: {Blocked} (told once)",
            );
        }
    }
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) scheme: &'static str,
    /// A name in lower case, or an IP address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Destination {
    pub(super) fn of(uri: &Uri) -> Result<Self> {
        let (scheme, default_port) = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => ("http", 80),
            Some(scheme) if *scheme == Scheme::HTTPS => ("https", 443),
            _ => return Err(Error::HttpProtocolError),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(Error::HttpRequestUriInvalid)?;
        let port = port(uri)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
        Ok(Self { scheme, host, port: port.unwrap_or(default_port) })
    }
}

/// The port that a URI names; one that is none is not taken for the scheme's.
fn port(uri: &Uri) -> Result<Option<u16>> {
    let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let after_host = address.rsplit_once(']').map_or(address, |(_, rest)| rest);
    match after_host.split_once(':') {
        None | Some((_, "")) => Ok(None),
        Some((_, port)) => port.parse().map(Some).map_err(|_| Error::HttpRequestUriInvalid),
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scheme, host, port } = self;
        match (*scheme, port) {
            ("http", 80) | ("https", 443) => write!(formatter, "{scheme}://{host}"),
            _ if host.contains(':') => write!(formatter, "{scheme}://[{host}]:{port}"),
            _ => write!(formatter, "{scheme}://{host}:{port}"),
        }
    }
}
