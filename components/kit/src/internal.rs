//! `/internal/<component>/…`: what a component exports, for those of the shop that reach it over HTTP and not by a link.
//!
//! | `POST /internal/<component>/…` | body | answer |
//! |---|---|---|
//! | `<interface>/<function>` | the arguments, a JSON array in the order of the WIT | 200 with the function's result |
//! | `events` | one event ([`Event`]) | 204 taken in; 422 rejected, for this reason; 503 not now |
//! | `tick` | | 204; 503 where it failed |
//!
//! A result is `{"Ok": …}` or `{"Err": …}`; records and variants are written as serde writes the types that the bindings make of
//! the WIT, bytes in base64 ([`Octets`]). So 200 says that the function has answered, with whatever outcome, and any other status that it has not. Whoever comes
//! without the service token is answered as if there were nothing here.

pub use axum::response::Response;
use axum::{Router, body::Body, response::IntoResponse};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Problem, serve, service_token};

mod event;
mod octets;
mod provider;

pub use event::{Event, Refusal};
pub use octets::Octets;

/// The arguments of a function that has none.
pub type NoArguments = [(); 0];

/// Seconds after which what could not be done now may be asked for again.
const RETRY_AFTER_S: u32 = 1;

/// A component that answers below `/internal/<component>/`.
pub trait Internal {
    /// The component's name, as the manifest has it.
    const COMPONENT: &'static str;

    /// Answers a call that came with the service token; [`nothing_here`] where it knows no such function.
    fn answer(call: Call) -> impl Future<Output = Result<Response, Problem>>;
}

/// One call.
#[derive(Debug)]
pub struct Call {
    function: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    /// What is called: `directory/get-user`, `events`, `tick`.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// Has the function answer.
    pub async fn run<A, T>(&self, function: impl AsyncFnOnce(A) -> T) -> Result<Response, Problem>
    where
        A: DeserializeOwned,
        T: Serialize,
    {
        let arguments = serde_json::from_slice(&self.body)
            .map_err(|error| unreadable(&format!("They are not the arguments of {}: {error}.", self.function)))?;
        let result = function(arguments).await;
        let text = serde_json::to_vec(&result).map_err(|error| {
            eprintln!("error: the result of {} cannot be written: {error}", self.function);
            Problem::internal()
        })?;
        Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
    }

    /// Has the subscriber take the event in.
    pub async fn deliver(
        &self,
        subscriber: impl AsyncFnOnce(Event) -> Result<(), Refusal>,
    ) -> Result<Response, Problem> {
        let event = Event::read(&self.headers, &self.body).map_err(|why| unreadable(&why))?;
        match subscriber(event).await {
            Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
            Err(Refusal::Reject(why)) => Err(unreadable(&why)),
            Err(Refusal::Retry(why)) => Err(Problem::unavailable(why, RETRY_AFTER_S)),
        }
    }

    /// Has the component do its work by the clock. That it is never done twice at once is the caller's matter.
    pub async fn tick(&self, task: impl AsyncFnOnce() -> Result<(), String>) -> Result<Response, Problem> {
        match task().await {
            Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
            Err(why) => Err(Problem::unavailable(why, RETRY_AFTER_S)),
        }
    }
}

/// The answer to a call of what there is not, and to whoever has no business here.
pub fn nothing_here() -> Response {
    // `serve` words it, as it words every address that is unknown.
    StatusCode::NOT_FOUND.into_response()
}

/// Answers one request: what is internal by the component itself, the rest by its routes.
pub async fn serve<C, B>(router: Router, request: Request<B>) -> Response
where
    C: Internal,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match function_of(request.uri().path(), C::COMPONENT) {
        None => serve::serve(router, request).await,
        Some(function) => {
            let function = function.to_owned();
            serve::around(request, async |request| admit::<C>(function, request).await).await
        }
    }
}

/// Answers one request to a component without routes of its own.
pub async fn serve_alone<C, B>(request: Request<B>) -> Response
where
    C: Internal,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    serve::<C, B>(Router::default(), request).await
}

/// What follows `/internal/<component>/`.
fn function_of<'a>(path: &'a str, component: &str) -> Option<&'a str> {
    path.strip_prefix("/internal/")?.strip_prefix(component)?.strip_prefix('/')
}

/// The token goes before everything else, so that a stranger learns nothing, not even from an error.
async fn admit<C: Internal>(function: String, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    if head.method != Method::POST || !service_token::came_with(&head.headers).await {
        return nothing_here();
    }
    let Ok(body) = axum::body::to_bytes(body, serve::BODY_MAX_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    C::answer(Call { function, headers: head.headers, body }).await.unwrap_or_else(IntoResponse::into_response)
}

fn unreadable(why: &str) -> Problem {
    Problem::of(StatusCode::UNPROCESSABLE_ENTITY, why)
}

#[cfg(test)]
mod tests;
