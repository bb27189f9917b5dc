//! The admin port: how the application stands, and changing it, for its operator alone.
//!
//! | | |
//! |---|---|
//! | `GET /status` | what answers, and how it does |
//! | `GET /metrics` | the same for Prometheus |
//! | `GET /components/{id}/history` | what happened to its versions |
//! | `POST /components/{id}/deploy` | a new version; `multipart/form-data` with `component` and any number of `migration` |
//! | `POST /components/{id}/promote` | the version on trial answers everything |
//! | `POST /components/{id}/rollback` | an earlier version answers again |
//! | `POST /applications/{name}/plan` | what the manifest, read again, would change |
//! | `POST /applications/{name}/apply` | the manifest, read again, is what is served |
//! | `GET /dead-letters` | events that subscribers rejected, the newest first; `component`, `topic` and `limit` in the query |
//! | `GET /dead-letters/{name}` | all of one |
//! | `POST /dead-letters/replay` | `{"names": […]}`, or all of `{"component": …, "topic": …}`, go to their component once more |
//!
//! Those that change something answer with one JSON object a line as it happens, the last of which says how it ended.
//!
//! That of a relay ([`RelayDesk`]) has status, metrics and dead letters, and `GET /health/live` and `/health/ready` for whoever watches it.

mod application;
mod change;
mod dead_letters;
mod leftover;
mod metrics;
mod problem;
mod relay;
mod status;
mod token;
pub mod upload;

use std::{io, net::SocketAddr, path::Path, sync::Arc};

use anyhow::Context;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{events::Tally, limits::ARTIFACT_BYTES, redis_trigger::Listeners, rollout::Rollout, server::Listen};
pub use application::{Agreed, Manifest, Proposal};
pub use dead_letters::{Asked, LISTED, Letter, Letters, MOST_LISTED, Office, ReplayLine, ReplayOrder, WholeLetter};
pub use relay::{OutboxStatus, RelayDesk, RelayStatus, SubscriberStatus, Unreached};
pub use status::{ChannelStatus, ComponentStatus, DEGRADED, Status, UnservedStatus, VersionStatus};
use token::Token;
pub use token::{ControlFile, FILE};

/// What the admin port tells of and changes.
pub struct Desk {
    /// The application's name.
    pub application: String,
    /// The versions of its components.
    pub rollout: Arc<Rollout>,
    /// The manifest, to be read again.
    pub manifest: Arc<dyn Manifest>,
    /// What became of events.
    pub events: Arc<Tally>,
    /// Its components on Redis channels.
    pub listeners: Arc<Listeners>,
    /// Where dead letters are found.
    pub office: Arc<dyn Office>,
    /// The threads on which versions are made ready, so that it takes nothing from those who are served.
    pub background: Handle,
}

/// The running admin port.
pub struct Control {
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<io::Result<()>>,
}

impl Control {
    /// Listens, but not on the port that is left to the application, and writes a token for those who ask into `control.json` of the state folder.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the file cannot be written.
    pub async fn start(listen: Listen, left: Option<u16>, state_dir: &Path, routes: Routes) -> anyhow::Result<Self> {
        let failed = || format!("cannot listen on {}; name another address with --control", listen.address);
        let listener = listen.bind(left).await.with_context(failed)?;
        let address = listener.local_addr()?;
        let token = token::keep(state_dir, address)?;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let app = routes.behind(token);
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

/// What an admin port answers.
pub struct Routes {
    /// To those who show the token.
    guarded: Router,
    /// To anybody.
    open: Router,
}

impl Routes {
    fn behind(self, token: Token) -> Router {
        let guarded = self.guarded.layer(middleware::from_fn_with_state(Arc::new(token), check));
        // What there is not, is guarded too.
        self.open.merge(guarded).layer(middleware::from_fn(leftover::read))
    }
}

impl Desk {
    /// What the admin port of a host answers.
    pub fn routes(self) -> Routes {
        let letters: Router<Arc<Self>> = dead_letters::routes(self.office.clone());
        let guarded = Router::new()
            .route("/status", get(status::answer))
            .route("/metrics", get(metrics::answer))
            .route("/components/{id}/history", get(status::history))
            .route("/components/{id}/deploy", post(change::deploy).layer(DefaultBodyLimit::max(ARTIFACT_BYTES)))
            .route("/components/{id}/promote", post(change::promote))
            .route("/components/{id}/rollback", post(change::rollback))
            .route("/applications/{name}/plan", post(application::plan))
            .route("/applications/{name}/apply", post(application::apply))
            .merge(letters)
            .with_state(Arc::new(self));
        Routes { guarded, open: Router::new() }
    }
}

async fn check(State(token): State<Arc<Token>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if shown.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|shown| token.matches(shown)) {
        return next.run(request).await;
    }
    let advice = "Send `Authorization: Bearer …` with the token that stands in control.json of the state folder.\n";
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], advice).into_response()
}
