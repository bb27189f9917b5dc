//! What happens around every request of a service: CORS, security headers, and problems for what axum refuses.

use axum::{
    Router,
    body::Body,
    extract::DefaultBodyLimit,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use tower::Service;

use crate::{Problem, settings};

/// Largest request body.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
/// Origins whose scripts may call the shop, unless the variable `cors_origins` names others.
pub const CORS_ORIGINS_DEFAULT: &str = "http://localhost:3000";

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, idempotency-key, if-match");
const EXPOSED_HEADERS: HeaderValue =
    HeaderValue::from_static("etag, idempotent-replayed, link, location, retry-after, www-authenticate, x-request-id");
/// The host names each request so in what it hands to a guest, and in its log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Seconds for which a browser may remember the answer to a preflight.
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Marks a response whose body must not be touched any more.
#[derive(Debug, Clone, Copy)]
pub struct Finished;

/// Gives a router the limits that every service has. Do it once, where the router is made.
pub fn limited(router: Router) -> Router {
    router.layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
}

/// Answers one request.
pub async fn serve<B>(mut router: Router, request: Request<B>) -> Response
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let routed = async |request| {
        let Ok(response) = router.call(request).await;
        response
    };
    around(request, routed).await
}

/// What happens around `answer`.
pub(crate) async fn around<B>(request: Request<B>, answer: impl AsyncFnOnce(Request<Body>) -> Response) -> Response
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let headers = request.headers().clone();
    let origin = allowed_origin(&headers).await;
    let mut response = match is_preflight(request.method(), &headers) {
        true => preflight(origin.is_some()),
        // Who says so beforehand need not send it.
        false if says_too_much(&headers) => {
            as_problem(StatusCode::PAYLOAD_TOO_LARGE.into_response(), request_id(&headers))
        }
        false => described(request, &headers, answer).await,
    };
    secure(response.headers_mut(), is_behind_tls(&headers));
    if let Some(id) = headers.get(&REQUEST_ID) {
        response.headers_mut().insert(REQUEST_ID, id.clone());
    }
    share(response.headers_mut(), origin);
    response
}

/// What `answer` says to anything but a preflight, in the form that every answer has.
async fn described<B>(
    request: Request<B>,
    headers: &HeaderMap,
    answer: impl AsyncFnOnce(Request<Body>) -> Response,
) -> Response
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let asks_for_methods = request.method() == Method::OPTIONS;
    let response = answer(request.map(Body::new)).await;
    match asks_for_methods && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        true => methods(&response),
        false => as_problem(response, request_id(headers)),
    }
}

/// What an address takes: the refusal of OPTIONS says it, and OPTIONS asks for nothing else (RFC 9110, 9.3.7).
fn methods(refusal: &Response) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let allowed = refusal.headers().get(header::ALLOW).and_then(|allowed| allowed.to_str().ok()).unwrap_or_default();
    if let Ok(allowed) = HeaderValue::from_str(&format!("{allowed},OPTIONS")) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// Error answers that are no problems yet become some; all get the request's id.
fn as_problem(response: Response, request_id: Option<&str>) -> Response {
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    if response.extensions().get::<Finished>().is_some() {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let mut problem = match parts.extensions.remove::<Problem>() {
        Some(problem) => problem,
        None => Problem::of(parts.status, refusal(parts.status)),
    };
    if let Some(id) = request_id {
        problem = problem.with_request_id(id);
    }
    let mut rendered = problem.into_response();
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    for (name, value) in &parts.headers {
        if !rendered.headers().contains_key(name) {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    rendered
}

fn refusal(status: StatusCode) -> &'static str {
    match status.as_u16() {
        404 => "There is nothing at this address. See /docs for what there is.",
        405 => "This address does not take that method; the Allow header lists those it takes.",
        413 => "The body is too large.",
        _ => "The request was refused.",
    }
}

/// Whether the request says that its body is larger than any may be.
fn says_too_much(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length > BODY_MAX_BYTES)
}

fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(&REQUEST_ID)?.to_str().ok()
}

/// Whether the browser spoke TLS, as the host knows or the proxies in between say: each adds what it was spoken to in, so the first one counts. A
/// client that only pretends tells nobody but itself, and over a plain connection no browser listens to it (RFC 6797, 8.1).
fn is_behind_tls(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text("spin-full-url").starts_with("https://") {
        return true;
    }
    let protocols: &str = text("x-forwarded-proto");
    protocols.split(',').next().is_some_and(|first| first.trim().eq_ignore_ascii_case("https"))
}

/// `nosniff` always; `no-store` unless the handler says that an answer may be kept; no browser shows an answer as a page
/// that does anything, unless the handler has a policy of its own.
fn secure(headers: &mut HeaderMap, tls: bool) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NO_PAGE);
    if tls {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
}

/// The request's origin, if it is on the list. Never `*`: credentials may come along.
async fn allowed_origin(headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let list = settings::get_or("cors_origins", CORS_ORIGINS_DEFAULT).await;
    list.split(',').any(|allowed| allowed.trim().as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(is_allowed: bool) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    if is_allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE);
    }
    response
}

/// Tells the browser whether the origin's scripts may read the answer (Fetch standard, CORS protocol).
fn share(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin else { return };
    let yes = HeaderValue::from_static("true");
    let fields: [(HeaderName, HeaderValue); 3] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS),
    ];
    headers.extend(fields);
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;
    use crate::Caller;

    async fn whoami(caller: Caller) -> String {
        caller.user_id.to_string()
    }

    async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let router = limited(Router::new().route("/me", get(whoami)));
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        serve(router, request.body(Body::empty()).unwrap()).await
    }

    async fn json(response: Response) -> serde_json::Value {
        let bytes = axum::body::to_bytes(response.into_body(), 65536).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn an_unknown_address_is_a_problem_with_the_requests_id() {
        let response = ask("GET", "/nowhere", &[("x-request-id", "r-1")]).await;
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["x-request-id"], "r-1");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let body = json(response).await;
        assert_eq!(body["status"], 404);
        assert_eq!(body["request_id"], "r-1");
        assert!(body["detail"].is_string());
    }

    #[tokio::test]
    async fn a_body_that_is_announced_as_too_large_is_refused_before_it_is_sent() {
        let announced = |bytes: usize| bytes.to_string();
        assert_eq!(ask("GET", "/me", &[("content-length", &announced(BODY_MAX_BYTES + 1))]).await.status(), 413);
        assert_ne!(ask("GET", "/me", &[("content-length", &announced(BODY_MAX_BYTES))]).await.status(), 413);
    }

    #[tokio::test]
    async fn a_wrong_method_says_which_are_right() {
        let response = ask("DELETE", "/me", &[]).await;
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET,HEAD");
    }

    #[tokio::test]
    async fn an_address_says_which_methods_it_takes() {
        let response = ask("OPTIONS", "/me", &[]).await;
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()["allow"], "GET,HEAD,OPTIONS");
        assert_eq!(ask("OPTIONS", "/nowhere", &[]).await.status(), 404);
    }

    #[tokio::test]
    async fn a_missing_token_is_challenged() {
        let response = ask("GET", "/me", &[]).await;
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"shop\"");
        assert_eq!(response.headers()["cache-control"], "no-store");
    }

    #[tokio::test]
    async fn only_listed_origins_are_let_in() {
        let preflight = ("access-control-request-method", "POST");
        let good = ask("OPTIONS", "/me", &[("origin", "http://localhost:3000"), preflight]).await;
        assert_eq!(good.status(), 204);
        assert_eq!(good.headers()["access-control-allow-origin"], "http://localhost:3000");
        let bad = ask("OPTIONS", "/me", &[("origin", "http://evil.example"), preflight]).await;
        assert!(!bad.headers().contains_key("access-control-allow-origin"));
        assert_eq!(bad.headers()["vary"], "Origin");
    }

    #[tokio::test]
    async fn a_preflight_is_as_secure_as_any_answer() {
        let preflight = [("origin", "http://evil.example"), ("access-control-request-method", "POST")];
        let plain = ask("OPTIONS", "/me", &preflight).await;
        assert_eq!(plain.headers()["x-content-type-options"], "nosniff");
        assert!(!plain.headers().contains_key("strict-transport-security"));
        let headers = [preflight[0], preflight[1], ("x-forwarded-proto", "https, http")];
        assert!(ask("OPTIONS", "/me", &headers).await.headers().contains_key("strict-transport-security"));
    }
}
