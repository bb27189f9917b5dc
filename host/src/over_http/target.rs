//! The application that is asked.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use chrono::Utc;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::timeout;

use super::{
    Address, Standing,
    answer::{self, Refusal},
};
use crate::{
    limits::{OUTBOUND_CONNECT_TIMEOUT, OUTBOUND_IDLE_CONNECTION, OUTBOUND_IDLE_CONNECTIONS, POSTED_ANSWER_BYTES},
    tls::{self, TlsError},
};

/// An application somewhere, and how it stands.
pub struct Target {
    address: Address,
    authorization: HeaderValue,
    /// So that no text repeats it, whoever sends it back.
    token: String,
    token_variable: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    standing: Standing,
}

/// Why nothing can be asked of it.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The token is empty, or no header can hold it.
    #[error("the variable `{0}` holds no token: it is empty, or has letters that no header can hold")]
    Token(String),
    /// The authorities cannot be read.
    #[error(transparent)]
    Authorities(#[from] TlsError),
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

impl Target {
    /// The application at `address`, of which `components` are asked. They know who asks by the `token`, which the manifest's
    /// variable `token_variable` holds. Over TLS, those in the file `authorities` are trusted, or else Mozilla's.
    ///
    /// # Errors
    /// A token that is none, or authorities that cannot be read.
    pub fn new(
        address: Address,
        (token_variable, token): (&str, &str),
        authorities: Option<&Path>,
        components: impl IntoIterator<Item = String>,
    ) -> Result<Self, TargetError> {
        let no_token = || TargetError::Token(token_variable.to_owned());
        let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
        let mut authorization = bearer.ok().filter(|_| !token.is_empty()).ok_or_else(no_token)?;
        authorization.set_sensitive(true);
        let trusted = authorities.map_or_else(|| Ok(tls::mozilla()), tls::authorities)?;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(OUTBOUND_CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::client(trusted)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(OUTBOUND_IDLE_CONNECTION)
            .pool_max_idle_per_host(OUTBOUND_IDLE_CONNECTIONS)
            .build(connector);
        let (token_variable, standing) = (token_variable.to_owned(), Standing::of(components));
        Ok(Self { address, authorization, token: token.to_owned(), token_variable, client, standing })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Which of its components are reached.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Asks a component for `call`, and waits so long for the answer.
    pub(super) async fn post(
        &self,
        component: &str,
        call: &str,
        headers: HeaderMap,
        body: Bytes,
        patience: Duration,
    ) -> Result<(), Refusal> {
        let address = self.address.of(&path(component, call));
        let answered = match timeout(patience, self.ask(&address, headers, body)).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(error)) => {
                return Err(self.unreached(component, format!("{} does not answer: {error:#}", self.address)));
            }
            // It may be there and have much to do.
            Err(_) => {
                return Err(Refusal::not_now(format!("{address} has not answered within {} s", patience.as_secs())));
            }
        };
        let (status, headers, body) = answered;
        if status == StatusCode::NOT_FOUND {
            let variable = &self.token_variable;
            return Err(self.unreached(
                component,
                format!(
                    "{} answered 404: nothing is there for whoever shows this token; is `{variable}` the same as there, is that \
                     the right address, and does a route lead to it?",
                    self.address.of(&path(component, "…"))
                ),
            ));
        }
        let read = answer::read(status, &headers, &body, Utc::now()).map_err(|refusal| refusal.without(&self.token));
        match &read {
            // These are a component's own answers; any other is that of something in between.
            Ok(()) | Err(Refusal::Rejected(_)) => self.standing.reached(component),
            Err(_) if status == StatusCode::SERVICE_UNAVAILABLE => self.standing.reached(component),
            Err(Refusal::NotNow { reason, .. }) => self.standing.unreached(component, reason),
        }
        read
    }

    /// One request, and all of its answer that matters.
    async fn ask(
        &self,
        address: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> anyhow::Result<(StatusCode, HeaderMap, Bytes)> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = address.parse()?;
        *request.headers_mut() = headers;
        request.headers_mut().insert(header::AUTHORIZATION, self.authorization.clone());
        let (head, body) = self.client.request(request).await?.into_parts();
        // The status says it all, be the body too long or cut off.
        let body = Limited::new(body, POSTED_ANSWER_BYTES).collect().await;
        Ok((head.status, head.headers, body.map(|body| body.to_bytes()).unwrap_or_default()))
    }

    fn unreached(&self, component: &str, reason: String) -> Refusal {
        self.standing.unreached(component, &reason);
        Refusal::not_now(reason)
    }
}

/// Where a component is asked for something.
pub(super) fn path(component: &str, call: &str) -> String {
    format!("/internal/{component}/{call}")
}
