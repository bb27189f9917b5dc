//! Reading the manifest again.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::{Desk, change::told, problem::Problem};
use crate::rollout::{Progress, Refused};

/// The manifest of the application that is served.
#[async_trait]
pub trait Manifest: Send + Sync {
    /// What would change if it were read again. Nothing does.
    ///
    /// # Errors
    /// When that cannot be found out now.
    async fn plan(&self) -> Result<Proposal, Refused>;

    /// Reads it again and serves what it says, if that is what was agreed to.
    ///
    /// # Errors
    /// The step that failed, and why; what is served has not changed.
    async fn apply(&self, agreed: Agreed, progress: &Progress) -> Result<(), Refused>;
}

/// What would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// A line for each change.
    pub changes: Vec<String>,
    /// What keeps it from being applied, each with what to do.
    pub refused: Vec<String>,
    /// What this plan is recognised by.
    pub digest: String,
}

/// Which plan somebody has agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreed {
    /// Its digest; whatever the manifest says where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

pub(super) async fn plan(State(desk): State<Arc<Desk>>, Path(name): Path<String>) -> Result<Json<Proposal>, Problem> {
    known(&desk, &name)?;
    let proposal = desk.manifest.plan().await;
    Ok(Json(proposal.map_err(|refused| Problem(StatusCode::SERVICE_UNAVAILABLE, refused.to_string()))?))
}

pub(super) async fn apply(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    Query(agreed): Query<Agreed>,
) -> Result<Response, Problem> {
    known(&desk, &name)?;
    let manifest = desk.manifest.clone();
    // What goes on after it, relays among it, belongs to the host's own threads.
    Ok(told(&Handle::current(), |progress| async move { manifest.apply(agreed, &progress).await }.boxed()))
}

fn known(desk: &Desk, name: &str) -> Result<(), Problem> {
    if desk.application == name {
        return Ok(());
    }
    Err(Problem(StatusCode::NOT_FOUND, format!("`{}` is served here, and not `{name}`", desk.application)))
}
