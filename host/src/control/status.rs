//! `GET /status` and the history of a component.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};

use super::{Desk, RelayStatus, problem::Problem};
use crate::{
    compose::Composition,
    redis_trigger::Standing,
    rollout::{Past, Unserved},
    service::{PoolStatus, Service, Version},
};

/// What [`Status::events`] says while events wait.
pub const DEGRADED: &str = "degraded";

/// How an application stands.
#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub application: String,
    /// `ok`; `degraded` while the bus is away or refuses an event, so that events wait in their outboxes, or while they wait for a
    /// subscriber that does not take them.
    pub events: String,
    /// Its components, by name, where they are served.
    pub components: Vec<ComponentStatus>,
    /// What is relayed, where it is served elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<RelayStatus>,
    /// How they stand on the Redis channels that they hear.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelStatus>,
}

/// How a component stands on a Redis channel.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChannelStatus {
    /// The component's id.
    pub component: String,
    /// The channel.
    pub channel: String,
    /// The server, without user and password.
    pub address: String,
    /// Why it hears nothing now; not there while it listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
    /// Messages that it took.
    pub taken: u64,
    /// Messages that it did not take.
    pub failed: u64,
}

/// How a component stands.
#[derive(Debug, Serialize, Deserialize)]
pub struct ComponentStatus {
    /// Its id.
    pub id: String,
    /// The version that answers what no other is drawn for.
    pub version: Option<String>,
    /// SHA-256 of that version's bytes.
    pub hash: Option<String>,
    /// Requests and calls that were answered since the host started, by whichever version.
    pub answered: u64,
    /// Those that got no answer.
    pub failed: u64,
    /// How the instances of all its versions stand.
    #[serde(flatten)]
    pub pool: PoolStatus,
    /// Every version that has not ended yet.
    pub versions: Vec<VersionStatus>,
    /// The version that is to answer and cannot be served here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unserved: Option<UnservedStatus>,
}

/// A version that should answer here and does not.
#[derive(Debug, Serialize, Deserialize)]
pub struct UnservedStatus {
    /// Its name.
    pub version: String,
    /// Why not.
    pub reason: String,
}

/// How a version stands.
#[derive(Debug, Serialize, Deserialize)]
pub struct VersionStatus {
    /// Its name.
    pub version: String,
    /// SHA-256 of its bytes.
    pub hash: String,
    /// What it is composed of, where something is composed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub composed: Option<ComposedStatus>,
    /// `active`, `trial` or `draining`.
    pub role: String,
    /// The share of the requests that it answers, of one on trial.
    pub share: Option<String>,
    /// Requests and calls that it answered.
    pub answered: u64,
    /// Of these, answers with a status from 500 on, events that were not taken, and calls that were answered `unavailable`.
    pub bad: u64,
    /// Those that it did not answer.
    pub failed: u64,
    /// 99 of 100 took no longer, in milliseconds.
    pub p99_ms: f64,
    /// How its instances stand.
    #[serde(flatten)]
    pub pool: PoolStatus,
}

/// What is run of a version into which something is composed.
#[derive(Debug, Serialize, Deserialize)]
pub struct ComposedStatus {
    /// SHA-256 of the whole.
    pub hash: String,
    /// By the files that are composed in, SHA-256 of what they held.
    pub parts: BTreeMap<String, String>,
}

pub(super) async fn answer(State(desk): State<Arc<Desk>>) -> Json<Status> {
    let components =
        desk.rollout.services().iter().map(|service| of(service, desk.rollout.unserved(&service.id))).collect();
    let events = if desk.events.is_well() { "ok" } else { DEGRADED };
    let channels = desk.listeners.standings().into_iter().map(ChannelStatus::from).collect();
    Json(Status { application: desk.application.clone(), events: events.to_owned(), components, relay: None, channels })
}

impl From<Standing> for ChannelStatus {
    fn from(standing: Standing) -> Self {
        let Standing { component, channel, address, away, taken, failed } = standing;
        Self { component, channel, address, away, taken, failed }
    }
}

pub(super) async fn history(
    State(desk): State<Arc<Desk>>,
    Path(component): Path<String>,
) -> Result<Json<Vec<Past>>, Problem> {
    let history = desk.rollout.history(&component).await;
    Ok(Json(history.map_err(|error| Problem(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?))
}

fn of(service: &Service, unserved: Option<Unserved>) -> ComponentStatus {
    let (active, count, versions) = (service.active(), service.tally().count(), versions(service));
    ComponentStatus {
        id: service.id.to_string(),
        version: active.as_ref().map(|version| version.label.to_string()),
        hash: active.as_ref().map(|version| version.hash.clone()),
        answered: count.answered,
        failed: count.failed,
        pool: versions.iter().map(|version| version.pool).sum(),
        versions,
        unserved: unserved.map(|Unserved { version, reason, .. }| UnservedStatus { version, reason }),
    }
}

/// Every version of a service with its role.
pub(super) fn versions(service: &Service) -> Vec<VersionStatus> {
    let answering = service.versions();
    let active = answering.iter().map(|versions| of_version(&versions.active, "active", None));
    let trial = answering.iter().filter_map(|versions| versions.trial.as_ref());
    let trial = trial.map(|trial| of_version(&trial.version, "trial", Some(trial.share.to_string())));
    let draining = service.draining();
    let draining = draining.iter().map(|version| of_version(version, "draining", None));
    active.chain(trial).chain(draining).collect()
}

fn of_version(version: &Version, role: &str, share: Option<String>) -> VersionStatus {
    let count = version.tally.count();
    let Composition { artifact, recipe, .. } = &version.composition;
    let parts: BTreeMap<String, String> =
        recipe.files().map(|(file, hash)| (file.display().to_string(), hash.to_owned())).collect();
    let composed = (!parts.is_empty()).then(|| ComposedStatus { hash: artifact.hash.clone(), parts });
    VersionStatus {
        version: version.label.to_string(),
        hash: version.hash.clone(),
        composed,
        role: role.to_owned(),
        share,
        answered: count.answered,
        bad: count.bad,
        failed: count.failed,
        p99_ms: count.percentile(0.99).as_secs_f64() * 1e3,
        pool: version.status(),
    }
}
