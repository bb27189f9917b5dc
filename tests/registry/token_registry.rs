//! Servers that stand in for somebody else's: what they answer is up to the test.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use plaza_tests::docker_registry::{DockerRegistry, LOGIN};

/// What was asked for, in the order in which it was.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    pub(crate) fn add(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Serves this for as long as the tests run, on a thread of its own; returns `127.0.0.1:port`.
pub(crate) fn serve(router: Router) -> String {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            tell.send(listener.local_addr().expect("an address").to_string()).expect("somebody waits for it");
            axum::serve(listener, router).await
        })
    });
    told.recv().expect("it is served")
}

/// The value of a header; nothing where there is none.
pub(crate) fn value(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// An answer that asks for a token of this realm.
pub(crate) fn wants_token(realm: &str) -> Response {
    let challenge = format!(r#"Bearer realm="{realm}",service="a registry""#);
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
}

/// A registry that wants a token of this realm for everything.
pub(crate) fn asks_for_token_of(realm: &str) -> String {
    let realm = realm.to_owned();
    serve(Router::new().fallback(async move || wants_token(&realm)))
}

/// What stands before a registry, and lets through who has a token for it. [`LOGIN`] gets one for everything; others get one to pull what
/// is in `public/`.
pub(crate) struct TokenRegistry {
    pub(crate) address: String,
    /// What the token server was asked, and with what `Authorization`.
    pub(crate) asked: Seen,
    /// Where blobs are, and with what `Authorization` they were asked for there.
    pub(crate) blobs: Seen,
}

impl TokenRegistry {
    pub(crate) fn before(registry: &DockerRegistry) -> Self {
        let (asked, blobs) = (Seen::default(), Seen::default());
        let seen = asked.clone();
        let realm = serve(Router::new().route("/token", get(async move |request: Request| token(&seen, &request))));
        let (behind, seen) = (registry.address(), blobs.clone());
        let storage = serve(Router::new().fallback(async move |request: Request| {
            seen.add(value(request.headers(), header::AUTHORIZATION));
            forward(&behind, request).await
        }));
        let (behind, realm) = (registry.address(), format!("http://{realm}/token"));
        let address = serve(Router::new().fallback(async move |request: Request| {
            let path = request.uri().path().to_owned();
            if !is_let_in(&request) {
                wants_token(&realm)
            } else if request.method() == Method::GET && path.contains("/blobs/sha256:") {
                (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, format!("http://{storage}{path}"))])
                    .into_response()
            } else {
                forward(&behind, request).await
            }
        }));
        Self { address, asked, blobs }
    }

    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }
}

fn token(asked: &Seen, request: &Request) -> Response {
    let (shown, query) = (value(request.headers(), header::AUTHORIZATION), request.uri().query().unwrap_or_default());
    asked.add(format!("{query} {shown}"));
    let who = match shown.as_str() {
        "" => "nobody",
        shown if shown == format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", LOGIN.0, LOGIN.1))) => LOGIN.0,
        _ => return StatusCode::UNAUTHORIZED.into_response(),
    };
    let scope: String = query.chars().map(|letter| if letter == '&' { '_' } else { letter }).collect();
    axum::Json(serde_json::json!({ "token": format!("{who}/{scope}"), "expires_in": 300 })).into_response()
}

fn is_let_in(request: &Request) -> bool {
    let shown = value(request.headers(), header::AUTHORIZATION);
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    let path = request.uri().path();
    if shown.starts_with("Bearer nobody/") {
        return reads && path.starts_with("/v2/public/");
    }
    shown.starts_with(&format!("Bearer {}/", LOGIN.0))
        && (path == "/v2/" || shown.contains("scope=") && (reads || shown.contains("push")))
}

/// Has a registry answer, which is told that it is the one that was asked.
async fn forward(behind: &str, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().expect("a path").as_str();
    for name in [header::AUTHORIZATION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let asking = reqwest::Client::new().request(parts.method, format!("http://{behind}{path}"));
    let answer = asking.headers(parts.headers).body(body).send().await.expect("the registry answers");
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove(header::TRANSFER_ENCODING);
    let mut given = Response::new(Body::from(answer.bytes().await.expect("a body")));
    (*given.status_mut(), *given.headers_mut()) = (status, headers);
    given
}
