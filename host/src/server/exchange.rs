//! One request and its answer.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version as Protocol,
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE},
    request::Parts,
};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming as Arriving;
use wasmtime_wasi_http::{Error, WasiBody, handler::Response as GuestResponse};

use super::{
    access::AccessLine,
    fixed, headers,
    incoming::{Bounds, BrokeOff, Fault, Incoming},
    outgoing::{Outgoing, Time},
    problem::Problem,
    proxies::Origin,
};
use crate::{
    limits::BODY_BEFOREHAND_BYTES,
    manifest::app::StaticResponse,
    router::{RouteMatch, Router},
    service::{self, Answered, CallContext, Failure, Guard, Service, Version},
};

/// Below it the host answers itself, as Spin does.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// Which service answers which path.
pub struct Directory {
    /// Routes to component ids.
    pub router: Router,
    /// Services by component id.
    pub services: HashMap<Arc<str>, Arc<Service>>,
    /// What the host answers itself, by the route's pattern.
    pub responses: HashMap<String, StaticResponse>,
    /// Those of the services that have a trigger, if only a private one: others may ask them by their names.
    pub named: HashSet<Arc<str>>,
    /// What the application is called: `{"name": …, "version": …}`.
    pub info: String,
}

/// An answer, and the version that was asked for it.
type Served = (Option<Arc<Version>>, Result<Response<Outgoing>, Problem>);

/// What is known of a request beside what it says.
struct Arrival {
    id: Arc<str>,
    traceparent: Arc<str>,
    origin: Origin,
    at: Instant,
    patience: Patience,
}

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a pause in the middle of a request's body.
    pub body: Duration,
    /// To ask for more of an answer, over HTTP/2: a connection that is written to and does not get on is noticed itself.
    pub unread: Duration,
}

/// Answers a request, whatever happens.
pub async fn answer(
    directory: &Arc<Directory>,
    origin: Origin,
    request: Request<Arriving>,
    patience: Patience,
) -> Response<Outgoing> {
    let (id, traceparent) = (headers::request_id(request.headers()), headers::traceparent(request.headers()));
    let arrival = Arrival { id, traceparent, origin, at: Instant::now(), patience };
    let mut line =
        AccessLine::begin(arrival.at, request.method(), &arrival.id, &arrival.traceparent, origin.client.ip());
    let (path, protocol) = (request.uri().path().to_owned(), request.version());
    let brought_id = request.headers().contains_key(headers::REQUEST_ID);
    let found = if is_well_known(&path) { None } else { directory.router.find(&path) };
    if let (Some(line), Some(route)) = (&mut line, &found) {
        line.found(route.pattern, route.component);
    }
    let (version, served) = match &found {
        _ if !headers::have_sound_host(request.version(), request.headers()) => (None, Err(unsound_host())),
        _ if is_well_known(&path) => (None, well_known(directory, &path)),
        Some(route) => serve(directory, route, &arrival, request).await,
        None => (None, Err(unserved())),
    };
    // Untold, a client may take the connection for its next request just before it ends.
    let ends = protocol < Protocol::HTTP_2 && served.as_ref().err().is_some_and(Problem::leaves_body);
    // To what a guest answers nothing is added, unless whoever asks goes by ids.
    let tells_id = brought_id || served.is_err();
    let mut response = served.unwrap_or_else(|problem| problem.into_response(&arrival.id, origin.by_tls));
    if ends {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(value) = tells_id.then(|| HeaderValue::from_str(&arrival.id).ok()).flatten() {
        response.headers_mut().entry(headers::REQUEST_ID).or_insert(value);
    }
    if let Some(line) = &mut line {
        line.answered(version.as_ref().map(|version| &version.label), &response);
    }
    response.map(|body| body.noted(line))
}

/// What the host says of itself and of the application, at paths that no component has.
pub(super) fn well_known(directory: &Directory, path: &str) -> Result<Response<Outgoing>, Problem> {
    match path.strip_prefix(WELL_KNOWN) {
        Some("health") => Ok(Response::new(Outgoing::text("OK"))),
        Some("info") => {
            let mut response = Response::new(Outgoing::text(directory.info.clone()));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(response)
        }
        _ => Err(unserved()),
    }
}

/// Whether the host answers at a path itself.
pub(super) fn is_well_known(path: &str) -> bool {
    path.starts_with(WELL_KNOWN)
}

pub(super) fn unserved() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "No component serves this path.")
}

async fn serve(
    directory: &Arc<Directory>,
    route: &RouteMatch<'_>,
    arrival: &Arrival,
    request: Request<Arriving>,
) -> Served {
    let Some(service) = directory.services.get(route.component) else {
        let response = directory.responses.get(route.pattern).map(fixed::response);
        return (None, response.ok_or_else(|| missing(route)));
    };
    let (bounds, deadline, until, time) = {
        let limits = service.limits();
        let bounds = Bounds { bytes: limits.body_bytes, pause: arrival.patience.body };
        let unread = (request.version() == Protocol::HTTP_2).then_some(arrival.patience.unread);
        let until = arrival.at + limits.answer_time();
        let time = Time { pause: limits.answer_pause(), until: until.into(), unread };
        (bounds, arrival.at + limits.request_time(), until, time)
    };
    if declared_length(request.headers()).is_some_and(|length| length > bounds.bytes) {
        return (None, Err(broken(Fault::TooLarge, bounds)));
    }
    let (parts, body) = request.into_parts();
    let head_alone = parts.method == Method::HEAD;
    let (parts, context) = match told(parts, route, arrival, deadline) {
        Ok((parts, context)) => {
            (parts, CallContext { home: Some(directory.clone()), ..context }.answering_until(until))
        }
        Err(problem) => return (None, Err(problem)),
    };
    let (body, broke_off) = match taken_in(body, bounds, service, deadline).await {
        Ok(taken) => taken,
        Err(fault) => return (None, Err(broken(fault, bounds))),
    };
    let Answered { version, answer } = service.http(Request::from_parts(parts, body), context).await;
    let served = served(answer, head_alone, time).await;
    match broke_off.fault() {
        Some(fault) => (version, Err(broken(fault, bounds))),
        None => (version, served),
    }
}

/// The answer as it leaves, once its beginning is known.
pub(super) async fn served(
    answer: Result<(GuestResponse, Guard), Failure>,
    head_alone: bool,
    time: Time,
) -> Result<Response<Outgoing>, Problem> {
    let (response, guard) = answer.map_err(|failure| Problem::of(&failure))?;
    let (head, body) = response.into_parts();
    // What a guest declares of a body that it leaves out is the body's business, not a broken promise.
    let body = match head_alone {
        true => Ok(Outgoing::empty()),
        false => Outgoing::guarded(body, guard, time).gather().await,
    };
    body.map(|body| Response::from_parts(head, body)).map_err(|_| Problem::failed())
}

/// The request's head as a guest gets it, and what travels with it.
fn told(
    mut parts: Parts,
    route: &RouteMatch<'_>,
    arrival: &Arrival,
    deadline: Instant,
) -> Result<(Parts, CallContext), Problem> {
    parts.uri = headers::full_uri(&parts.uri, &parts.headers, arrival.origin.by_tls).ok_or_else(unsound_host)?;
    headers::tell(&mut parts.headers, &parts.uri, route, arrival.origin.client);
    let (traceparent, lot) = (arrival.traceparent.clone(), headers::lot(&parts.headers));
    for (name, value) in [(headers::REQUEST_ID, &*arrival.id), (headers::TRACEPARENT, &*traceparent)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            parts.headers.insert(name, value);
        }
    }
    Ok((parts, CallContext::root(arrival.id.clone(), Some(traceparent), deadline, lot)))
}

/// The request's body as a guest gets it. One that would have an instance wait for its client is waited for here, unless there are
/// instances enough: a guest may answer what has come so far, and its client wait for that.
pub(super) async fn taken_in<B>(
    body: B,
    bounds: Bounds,
    service: &Service,
    deadline: Instant,
) -> Result<(WasiBody, BrokeOff), Fault>
where
    B: Body<Data = Bytes, Error: Into<Error>> + Send + Unpin + 'static,
{
    if body.is_end_stream() {
        return Ok((service::empty(), BrokeOff::default()));
    }
    let (mut body, broke_off) = Incoming::new(body, bounds);
    if service.is_one_at_a_time() {
        let beforehand = body.beforehand(BODY_BEFOREHAND_BYTES, || service.has_room_to_spare());
        let beforehand = tokio::time::timeout_at(deadline.into(), beforehand).await;
        let come = beforehand.ok().and_then(Result::ok);
        body = come.ok_or_else(|| broke_off.fault().unwrap_or(Fault::TooSlow))?;
    }
    Ok((body.boxed_unsync(), broke_off))
}

fn unsound_host() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "The request does not say for which host it is; send one Host header.")
}

pub(super) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(super) fn broken(fault: Fault, bounds: Bounds) -> Problem {
    match fault {
        Fault::TooLarge => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body is larger than the {} bytes that are taken here.", bounds.bytes),
        ),
        Fault::TooSlow => Problem::new(StatusCode::REQUEST_TIMEOUT, "The request's body did not come in time."),
    }
}

fn missing(route: &RouteMatch<'_>) -> Problem {
    tracing::error!(component = %route.component, "a route names a component that is not loaded");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The component of this route is not loaded.")
}
