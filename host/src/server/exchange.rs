//! One request and its answer.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Instant};

use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_LENGTH};
use hyper::body::Incoming;

use super::{
    body::{Outgoing, TooLarge, limited},
    headers,
    problem::Problem,
};
use crate::{
    router::{RouteMatch, Router},
    service::{CallContext, Service},
};

/// Answered by the host itself, as Spin does.
const HEALTH: &str = "/.well-known/spin/health";

/// Which service answers which path.
pub struct Directory {
    /// Routes to component ids.
    pub router: Router,
    /// Services by component id.
    pub services: HashMap<Arc<str>, Arc<Service>>,
}

/// Answers a request, whatever happens.
pub async fn answer(directory: &Directory, peer: SocketAddr, request: Request<Incoming>) -> Response<Outgoing> {
    let started = Instant::now();
    let request_id = headers::request_id(request.headers());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    if path == HEALTH {
        return Response::new(Outgoing::text("OK"));
    }
    let found = directory.router.find(&path);
    let served = match &found {
        Some(route) => serve(directory, route, peer, request, request_id.clone(), started).await,
        None => Err(Problem::new(StatusCode::NOT_FOUND, "No component serves this path.")),
    };
    let mut response = served.unwrap_or_else(|problem| problem.into_response(&request_id));
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().entry(headers::REQUEST_ID).or_insert(value);
    }
    let component = found.as_ref().map_or("-", |route| route.component);
    let version = directory.services.get(component).and_then(|service| service.active());
    tracing::info!(
        target: "access",
        method = %method,
        route = found.as_ref().map_or("-", |route| route.pattern),
        component,
        version = version.as_ref().map_or("-", |version| &*version.label),
        status = response.status().as_u16(),
        duration_us = started.elapsed().as_micros() as u64,
        request.id = &*request_id,
    );
    response
}

async fn serve(
    directory: &Directory,
    route: &RouteMatch<'_>,
    peer: SocketAddr,
    request: Request<Incoming>,
    request_id: Arc<str>,
    started: Instant,
) -> Result<Response<Outgoing>, Problem> {
    let service = directory.services.get(route.component).ok_or_else(|| missing(route))?;
    let limit = service.limits.body_bytes;
    if declared_length(&request).is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let (mut parts, body) = request.into_parts();
    parts.uri = headers::full_uri(&parts.uri, &parts.headers)
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "The request names no host; send a Host header."))?;
    headers::tell(&mut parts.headers, &parts.uri, route, peer);
    let traceparent = headers::traceparent(&parts.headers);
    for (name, value) in [(headers::REQUEST_ID, &request_id), (headers::TRACEPARENT, &traceparent)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            parts.headers.insert(name, value);
        }
    }
    let broke_off = TooLarge::default();
    let request = Request::from_parts(parts, limited(body, limit, &broke_off));
    let deadline = started + service.limits.request_time();
    let answer = service.http(request, CallContext::root(request_id, Some(traceparent), deadline)).await;
    if broke_off.happened() {
        return Err(too_large(limit));
    }
    let (response, guard) = answer.map_err(|failure| Problem::of(&failure))?;
    let (head, body) = response.into_parts();
    Ok(Response::from_parts(head, Outgoing::guarded(body, guard).gather().await))
}

fn declared_length(request: &Request<Incoming>) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: u64) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("The body is larger than the {limit} bytes that are taken here."),
    )
}

fn missing(route: &RouteMatch<'_>) -> Problem {
    tracing::error!(component = %route.component, "a route names a component that is not loaded");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The component of this route is not loaded.")
}
