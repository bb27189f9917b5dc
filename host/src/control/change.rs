//! Changing what answers. The work goes on when whoever asked for it goes away: half a deploy helps nobody.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{
        Multipart, Path, Query, State,
        multipart::{Field, MultipartError},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{FutureExt, future::BoxFuture, stream};
use tokio::runtime::Handle;

use super::{
    Desk,
    problem::Problem,
    upload::{Back, COMPONENT, MIGRATION, Manner, too_large},
};
use crate::{
    limits::ARTIFACT_BYTES,
    rollout::{DRAIN_TIME, Order, Origin, Progress, Refused, Report, TRIAL_TIME},
};

/// The longest time to drain.
const LONGEST_DRAIN: Duration = Duration::from_secs(3600);

pub(super) async fn deploy(
    State(desk): State<Arc<Desk>>,
    Path(component): Path<String>,
    Query(manner): Query<Manner>,
    headers: HeaderMap,
    parts: Multipart,
) -> Result<Response, Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let order = order(component, &manner, parts, length.unwrap_or_default()).await?;
    let rollout = desk.rollout.clone();
    Ok(told(&desk.background, |progress| async move { rollout.deploy(order, &progress).await }.boxed()))
}

pub(super) async fn promote(State(desk): State<Arc<Desk>>, Path(component): Path<String>) -> Response {
    let rollout = desk.rollout.clone();
    told(&desk.background, |progress| async move { rollout.promote(&component, None, &progress).await }.boxed())
}

pub(super) async fn rollback(
    State(desk): State<Arc<Desk>>,
    Path(component): Path<String>,
    Query(back): Query<Back>,
) -> Response {
    let rollout = desk.rollout.clone();
    told(&desk.background, move |progress| {
        async move { rollout.rollback(&component, back.to, None, &progress).await }.boxed()
    })
}

/// Reads what is to be deployed, out of a body that says to be of this length.
async fn order(component: String, manner: &Manner, mut parts: Multipart, length: usize) -> Result<Order, Problem> {
    let trial = match &manner.canary {
        Some(share) => {
            let share = share.parse().map_err(|error| Problem::bad_request(format!("canary: {error}")))?;
            let seconds = manner.canary_seconds.map_or(TRIAL_TIME, |seconds| Duration::from_secs(seconds.into()));
            Some((share, seconds))
        }
        None => None,
    };
    let drain = manner.drain_ms.map_or(DRAIN_TIME, Duration::from_millis).min(LONGEST_DRAIN);
    let (mut bytes, mut migrations) = (None, Vec::new());
    while let Some(field) = parts.next_field().await.map_err(unreadable)? {
        let (name, file) = (field.name().map(str::to_owned), field.file_name().map(str::to_owned));
        let most = if name.as_deref() == Some(COMPONENT) { length } else { 0 };
        let content = whole(field, most).await.map_err(unreadable)?;
        match (name.as_deref(), file) {
            (Some(COMPONENT), _) => bytes = Some(content),
            (Some(MIGRATION), Some(file)) => migrations.push((file, text(&content)?)),
            _ => {
                return Err(Problem::bad_request(format!(
                    "send one part `{COMPONENT}` and any number of parts `{MIGRATION}` with file names"
                )));
            }
        }
    }
    let bytes =
        bytes.ok_or_else(|| Problem::bad_request(format!("the part `{COMPONENT}` with the .wasm is missing")))?;
    let probe = manner.probe.clone();
    if probe.as_ref().is_some_and(|path| !path.starts_with('/')) {
        return Err(Problem::bad_request("probe: write a path that begins with /"));
    }
    Ok(Order { component, bytes, migrations, trial, drain, probe, origin: Origin::Deploy })
}

/// All of a part. The place for it need not grow where it has `most` bytes, and is no larger than it must be in the end.
async fn whole(mut field: Field<'_>, most: usize) -> Result<Bytes, MultipartError> {
    let mut whole = Vec::with_capacity(most.min(ARTIFACT_BYTES));
    while let Some(chunk) = field.chunk().await? {
        whole.extend_from_slice(&chunk);
    }
    whole.shrink_to_fit();
    Ok(whole.into())
}

fn unreadable(error: MultipartError) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem(StatusCode::PAYLOAD_TOO_LARGE, too_large()),
        status => Problem(status, error.body_text()),
    }
}

fn text(content: &Bytes) -> Result<String, Problem> {
    String::from_utf8(content.to_vec()).map_err(|_| Problem(StatusCode::BAD_REQUEST, "a migration is not UTF-8".into()))
}

/// Begins a change on these threads and answers with what it reports.
pub(super) fn told(
    threads: &Handle,
    change: impl FnOnce(Progress) -> BoxFuture<'static, Result<(), Refused>>,
) -> Response {
    let (progress, reports) = Progress::told();
    let work = change(progress.clone());
    threads.spawn(async move {
        if let Err(Refused { step, reasons }) = work.await {
            progress.tell(Report::Refused { step, reasons });
        }
    });
    let lines = stream::unfold(reports, |mut reports| async move {
        let report = reports.recv().await?;
        let line = serde_json::to_string(&report).unwrap_or_default();
        Some((Ok::<_, Infallible>(Bytes::from(line + "\n")), reports))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}
