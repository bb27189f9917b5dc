//! A request that one component sends to another, or to the application's routes: answered as one that comes from outside, and without a
//! network.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, WasiBody};

use super::{
    exchange::{Directory, broken, declared_length, is_well_known, served, taken_in, unserved, well_known},
    fixed, forwarded, headers,
    incoming::{Bounds, Fault},
    outgoing::{Outgoing, Time},
    problem::Problem,
};
use crate::{
    guest::Behalf,
    router::RouteMatch,
    service::{CallContext, Failure, Lot},
};

/// Where such a request comes from, as the component that is asked sees it: from this machine, from no port of it.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Who sends it.
pub struct Caller {
    /// The component.
    pub component: Arc<str>,
    /// On whose behalf it sends.
    pub behalf: Behalf,
}

/// The answer of a component, or of whatever the routes say where `component` names none.
pub async fn answer_within(
    directory: &Arc<Directory>,
    caller: &Caller,
    component: Option<&str>,
    request: Request<WasiBody>,
) -> Response<WasiBody> {
    let id = match &caller.behalf {
        Behalf::Request(context) => context.request_id.clone(),
        Behalf::Nobody { .. } => headers::request_id(&HeaderMap::new()),
    };
    let path = request.uri().path().to_owned();
    let answered = match route(directory, component, &path) {
        _ if component.is_none() && is_well_known(&path) => well_known(directory, &path),
        Some(route) => answer(directory, caller, &id, &route, request).await,
        None => Err(unserved()),
    };
    let response = answered.unwrap_or_else(|problem| problem.into_response(&id, false));
    response.map(|body| body.map_err(|_| Error::ConnectionTerminated).boxed_unsync())
}

/// A component that is asked by its name serves every path.
fn route<'a>(directory: &'a Directory, component: Option<&str>, path: &'a str) -> Option<RouteMatch<'a>> {
    let Some(component) = component else {
        return directory.router.find(path);
    };
    let (component, _) = directory.services.get_key_value(component)?;
    Some(RouteMatch { component, pattern: "/...", component_route: "", path_info: path, params: Vec::new() })
}

async fn answer(
    directory: &Arc<Directory>,
    caller: &Caller,
    id: &Arc<str>,
    route: &RouteMatch<'_>,
    request: Request<WasiBody>,
) -> Result<Response<Outgoing>, Problem> {
    let Some(service) = directory.services.get(route.component) else {
        return directory.responses.get(route.pattern).map(fixed::response).ok_or_else(Problem::failed);
    };
    let now = Instant::now();
    let (bounds, deadline, until, time) = {
        let limits = service.limits();
        let (pause, until) = (limits.answer_pause(), now + limits.answer_time());
        let time = Time { pause, until: until.into(), unread: Some(pause) };
        (Bounds { bytes: limits.body_bytes, pause }, now + limits.request_time(), until, time)
    };
    if declared_length(request.headers()).is_some_and(|length| length > bounds.bytes) {
        return Err(broken(Fault::TooLarge, bounds));
    }
    let (mut parts, body) = request.into_parts();
    let head_alone = parts.method == Method::HEAD;
    let traceparent = headers::traceparent(&parts.headers);
    let root = |behind| {
        let (root, home) = (CallContext::root(id.clone(), None, deadline, Lot::any()), directory.clone());
        Arc::new(CallContext { behind, home: Some(home), ..root }.answering_until(until))
    };
    let context = match &caller.behalf {
        Behalf::Request(context) => context.clone(),
        Behalf::Nobody { behind } => root(*behind),
    };
    if context.until() <= now {
        return Err(Problem::of(&Failure::DeadlineExceeded { component: caller.component.clone() }));
    }
    let until = until.min(context.answer_until);
    let context = context.enter_again(&caller.component, &service.id, deadline).map_err(|path| {
        tracing::warn!(component = %caller.component, path, "requests within the application go in circles");
        Problem::of(&Failure::Cycle { path })
    })?;
    // What proxies say is believed of those in front of the host, and a guest is none.
    forwarded::remove(&mut parts.headers);
    headers::tell(&mut parts.headers, &parts.uri, route, NOWHERE);
    for (name, value) in [(headers::REQUEST_ID, &**id), (headers::TRACEPARENT, &*traceparent)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            parts.headers.insert(name, value);
        }
    }
    let context = CallContext { traceparent: Some(traceparent), ..context }.answering_until(until);
    let (body, broke_off) = match taken_in(body, bounds, service, context.deadline).await {
        Ok(taken) => taken,
        Err(fault) => return Err(broken(fault, bounds)),
    };
    let answer = service.http(Request::from_parts(parts, body), context).await.answer;
    let served = served(answer, head_alone, time).await;
    // A body that was too large may have been noticed only when the answer had begun.
    broke_off.fault().map_or(served, |fault| Err(broken(fault, bounds)))
}
