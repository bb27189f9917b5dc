//! What subscribers rejected: looking at it, and giving it to them once more.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Json, Router,
    body::{Body as Answer, Bytes},
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use futures::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::problem::Problem;
use crate::events::{Body, DeadLetter, DeadLettersError, Replay, Replayed, Wanted};

/// Letters of a list where no other number is asked for.
pub const LISTED: usize = 50;

/// The most letters of a list.
pub const MOST_LISTED: usize = 1_000;

/// Who has the dead letters at the moment: that changes with the manifest.
pub trait Office: Send + Sync {
    /// None where there are no events.
    fn replay(&self) -> Option<Arc<Replay>>;
}

/// Which letters to list, in the query.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Of this component alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Of this topic alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// How many: [`LISTED`] where nothing is said, [`MOST_LISTED`] at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// A list of letters, the newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letters {
    /// As many as were asked for.
    pub letters: Vec<Letter>,
    /// Whether there are, or may be, more.
    pub more: bool,
}

/// A dead letter, without what its event says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letter {
    /// What it is called.
    pub name: String,
    /// Who rejected it.
    pub component: String,
    /// Where it was published.
    pub topic: String,
    /// What happened; nothing where there is no event to be read in it.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What keeps its order.
    pub key: String,
    /// Since when it is here.
    pub at: DateTime<Utc>,
    /// Why: what the component said last.
    pub reason: String,
    /// How often it was replayed and came back.
    pub replays: u32,
}

/// All of a dead letter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WholeLetter {
    /// What a list says of it.
    #[serde(flatten)]
    pub letter: Letter,
    /// The event's id.
    pub id: Option<String>,
    /// Who published it.
    pub source: Option<String>,
    /// When it happened.
    pub time: Option<String>,
    /// The trace context of its cause.
    pub traceparent: Option<String>,
    /// Why there is no event to be read in it, where there is none.
    pub fault: Option<String>,
    /// What stood beside it on a topic of Kafka: name and value.
    pub headers: Vec<(String, String)>,
    /// What it says.
    pub value: Body,
}

/// What to replay: letters by their names, or all of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayOrder {
    /// These.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// All of this component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Of these, those of this topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

/// A line of what a replay tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayLine {
    /// A letter was replayed, or was not.
    Replayed(Replayed),
    /// That was the last.
    Ended,
}

pub(super) fn routes<S: Clone + Send + Sync + 'static>(office: Arc<dyn Office>) -> Router<S> {
    Router::new()
        .route("/dead-letters", get(list))
        .route("/dead-letters/{name}", get(show))
        .route("/dead-letters/replay", post(replay))
        .with_state(office)
}

async fn list(State(office): State<Arc<dyn Office>>, Query(asked): Query<Asked>) -> Result<Json<Letters>, Problem> {
    let limit = asked.limit.unwrap_or(LISTED);
    if !(1..=MOST_LISTED).contains(&limit) {
        return Err(Problem::bad_request(format!("limit: from 1 to {MOST_LISTED}")));
    }
    let wanted = Wanted { component: asked.component, topic: asked.topic };
    let listed = replay_of(&*office)?.newest(&wanted, limit).await.map_err(away)?;
    Ok(Json(Letters { letters: listed.letters.into_iter().map(letter).collect(), more: listed.more }))
}

async fn show(State(office): State<Arc<dyn Office>>, Path(name): Path<String>) -> Result<Json<WholeLetter>, Problem> {
    let found = replay_of(&*office)?.find(&name).await.map_err(away)?;
    let absent = || format!("there is no dead letter `{name}`; its component may have taken it by now");
    Ok(Json(whole(found.ok_or_else(|| Problem(StatusCode::NOT_FOUND, absent()))?)))
}

/// Replays as long as the answer is read: whoever goes away gets no further than the letter in hand.
async fn replay(State(office): State<Arc<dyn Office>>, Json(order): Json<ReplayOrder>) -> Result<Response, Problem> {
    if order.names.is_empty() == order.component.is_none() || !order.names.is_empty() && order.topic.is_some() {
        return Err(Problem::bad_request("name letters, or a component and, if it is to be, a topic"));
    }
    let replay = replay_of(&*office)?;
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        match order.component {
            None => replay.named(&order.names, &tell).await,
            component => replay.all(&Wanted { component, topic: order.topic }, &tell).await,
        }
    });
    let lines = stream::unfold(Some(told), |told| async move {
        let mut told = told?;
        let (line, rest) = match told.recv().await {
            Some(replayed) => (ReplayLine::Replayed(replayed), Some(told)),
            None => (ReplayLine::Ended, None),
        };
        let text = serde_json::to_string(&line).unwrap_or_default();
        Some((Ok::<_, Infallible>(Bytes::from(text + "\n")), rest))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Answer::from_stream(lines)).into_response())
}

fn replay_of(office: &dyn Office) -> Result<Arc<Replay>, Problem> {
    let none = "the application has no database, so it has no events";
    office.replay().ok_or_else(|| Problem(StatusCode::NOT_FOUND, none.to_owned()))
}

fn away(error: DeadLettersError) -> Problem {
    Problem(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

fn letter(found: DeadLetter) -> Letter {
    let DeadLetter { name, component, topic, key, event, reason, at, replays, .. } = found;
    Letter { name, component, topic, kind: event.ok().map(|event| event.kind), key, at, reason, replays }
}

fn whole(mut found: DeadLetter) -> WholeLetter {
    let (headers, value) = (std::mem::take(&mut found.headers), std::mem::take(&mut found.body));
    let event = found.event.as_ref().ok();
    WholeLetter {
        id: event.map(|event| event.id.to_string()),
        source: event.map(|event| event.source.clone()),
        time: event.map(|event| event.time.clone()),
        traceparent: event.and_then(|event| event.traceparent.clone()),
        fault: found.event.as_ref().err().cloned(),
        headers,
        value,
        letter: letter(found),
    }
}
