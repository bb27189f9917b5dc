//! The admin port: how the application stands, for its operator alone.

mod metrics;
mod token;

use std::{collections::HashMap, io, net::SocketAddr, path::Path, sync::Arc, sync::atomic::Ordering};

use anyhow::Context;
use axum::{
    Json, Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::service::{PoolStatus, Service};
use token::Token;

/// What the admin port tells of.
pub struct Overview {
    /// The application's name.
    pub name: String,
    /// Its services.
    pub services: HashMap<Arc<str>, Arc<Service>>,
}

/// The running admin port.
pub struct Control {
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<io::Result<()>>,
}

impl Control {
    /// Listens on `address`. Whoever asks must show the token that stands in `control.json` of the state folder.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the file cannot be written.
    pub async fn start(address: SocketAddr, state_dir: &Path, overview: Overview) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}; name another address with --control"))?;
        let address = listener.local_addr()?;
        let token = token::keep(state_dir, address)?;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let app = routes(Arc::new(overview), token);
        let serving = tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(stopped).await });
        Ok(Self { address, stop, serving })
    }

    /// Ends it.
    pub async fn stop(self) {
        self.stop.cancel();
        self.serving.abort();
        _ = self.serving.await;
    }
}

fn routes(overview: Arc<Overview>, token: Token) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/metrics", get(metrics::answer))
        .layer(middleware::from_fn_with_state(Arc::new(token), check))
        .with_state(overview)
}

async fn check(State(token): State<Arc<Token>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if shown.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|shown| token.matches(shown)) {
        return next.run(request).await;
    }
    let advice = "Send `Authorization: Bearer …` with the token that stands in control.json of the state folder.\n";
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], advice).into_response()
}

/// `GET /status`.
#[derive(Debug, Serialize)]
struct Status {
    application: String,
    components: Vec<ComponentStatus>,
}

#[derive(Debug, Serialize)]
struct ComponentStatus {
    id: String,
    version: Option<String>,
    hash: Option<String>,
    answered: u64,
    failed: u64,
    #[serde(flatten)]
    pool: PoolStatus,
}

async fn status(State(overview): State<Arc<Overview>>) -> Json<Status> {
    let mut components: Vec<ComponentStatus> = overview.services.values().map(|service| of(service)).collect();
    components.sort_by(|one, other| one.id.cmp(&other.id));
    Json(Status { application: overview.name.clone(), components })
}

fn of(service: &Service) -> ComponentStatus {
    let version = service.active();
    ComponentStatus {
        id: service.id.to_string(),
        version: version.as_ref().map(|version| version.label.to_string()),
        hash: version.as_ref().map(|version| version.hash.clone()),
        answered: service.counters().answered.load(Ordering::Relaxed),
        failed: service.counters().failed.load(Ordering::Relaxed),
        pool: version.map(|version| version.status()).unwrap_or_default(),
    }
}
