//! Problem details (RFC 9457): the one shape of every error answer.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::faults::{Fault, Faults};

mod kind;
pub mod kinds;

pub use kind::Kind;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error answer. Its `detail` is for the client; causes go to the log, never in here.
#[derive(Debug, Clone)]
pub struct Problem(Box<Details>);

/// What a problem says. Boxed, because errors travel through every result.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(description = "An error answer (RFC 9457).")]
struct Details {
    /// A URI reference that names the kind of problem; `about:blank` where the status says it all.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    #[serde(serialize_with = "status_number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// What went wrong this time, and what to do about it.
    detail: String,
    /// The wrong fields, where the input was at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
    /// The request's id, for a report.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<String>,
    #[serde(skip)]
    #[schema(ignore)]
    headers: HeaderMap,
}

impl Problem {
    /// A problem of this kind; `detail` says what went wrong this time.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind: kind.uri(),
            title: kind.title(),
            status: kind.status,
            detail: detail.into(),
            errors: Vec::new(),
            request_id: None,
            headers: HeaderMap::new(),
        }))
    }

    /// A problem of which the status says all that a program needs.
    pub fn of(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(Kind::plain(status, ""), detail)
    }

    /// 400: the request cannot be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, detail)
    }

    /// 401 with its challenge. `error` is a code of RFC 6750, absent where no credentials were sent at all.
    pub fn unauthorized(error: Option<&'static str>, detail: impl Into<String>) -> Self {
        let challenge = match error {
            Some("invalid_token") => "Bearer realm=\"shop\", error=\"invalid_token\"",
            Some(_) => "Bearer realm=\"shop\", error=\"invalid_request\"",
            None => "Bearer realm=\"shop\"",
        };
        Self::of(StatusCode::UNAUTHORIZED, detail)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// 403: known, but not allowed.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::of(StatusCode::FORBIDDEN, detail)
    }

    /// 404: it does not exist, or is another's.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::of(StatusCode::NOT_FOUND, detail)
    }

    /// 412: the resource has changed since the client read it.
    pub fn precondition_failed() -> Self {
        Self::of(
            StatusCode::PRECONDITION_FAILED,
            "It has changed since you read it. Read it again and repeat the change with the new ETag.",
        )
    }

    /// 422 with every wrong field.
    pub fn invalid(faults: Faults) -> Self {
        let errors = faults.into_list();
        let fields: Vec<&str> = errors.iter().map(|fault| fault.field.as_str()).collect();
        let detail = format!("Wrong or missing: {}.", fields.join(", "));
        Self::new(kinds::INVALID_INPUT, detail).with_errors(errors)
    }

    /// 429: not so often; asking again after `retry_after_s` may help.
    pub fn too_many(detail: impl Into<String>, retry_after_s: i64) -> Self {
        Self::of(StatusCode::TOO_MANY_REQUESTS, detail)
            .with_header(header::RETRY_AFTER, HeaderValue::from(retry_after_s))
    }

    /// 503: not now; asking again after `retry_after_s` may help.
    pub fn unavailable(detail: impl Into<String>, retry_after_s: u32) -> Self {
        Self::of(StatusCode::SERVICE_UNAVAILABLE, detail)
            .with_header(header::RETRY_AFTER, HeaderValue::from(retry_after_s))
    }

    /// 500. The cause has been logged by the caller.
    pub fn internal() -> Self {
        Self::of(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something failed on our side. Please try again later and mention the request id.",
        )
    }

    /// The same problem with one more header.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.append(name, value);
        self
    }

    /// The same problem with the wrong fields it speaks of.
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.0.errors = errors;
        self
    }

    /// The same problem with the id of its request.
    pub(crate) fn with_request_id(mut self, request_id: &str) -> Self {
        self.0.request_id = Some(request_id.to_owned());
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What went wrong.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The JSON body.
    pub fn body(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_else(|_| "{}".to_owned())
    }
}

impl IntoResponse for Problem {
    /// The problem also stands in the response's extensions, where [`crate::serve`] finds it to add the request's id.
    fn into_response(self) -> Response {
        let body = self.body();
        let mut response = (self.0.status, self.0.headers.clone(), body).into_response();
        let json = HeaderValue::from_static(PROBLEM_JSON);
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response.extensions_mut().insert(self);
        response
    }
}

impl utoipa::PartialSchema for Problem {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        Details::schema()
    }
}

fn status_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
