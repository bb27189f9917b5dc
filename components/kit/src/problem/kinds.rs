//! The kinds that every service knows.

use http::StatusCode;

use super::Kind;

/// 400: the body is no JSON.
pub const NO_JSON: Kind = Kind::plain(StatusCode::BAD_REQUEST, "The body is no JSON, or nested too deeply.");

/// 400: an `If-Match` that is no entity tag.
pub const NO_ENTITY_TAG: Kind =
    Kind::plain(StatusCode::BAD_REQUEST, "The `If-Match` header is neither `*` nor one entity tag.");

/// 400: an `Idempotency-Key` that is none.
pub const NO_IDEMPOTENCY_KEY: Kind =
    Kind::plain(StatusCode::BAD_REQUEST, "The `Idempotency-Key` has not 1 to 255 visible ASCII characters.");

/// 400: no `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_MISSING: Kind = Kind::named(
    StatusCode::BAD_REQUEST,
    "idempotency-key-missing",
    "There is no `Idempotency-Key`. Send a fresh UUID for each new intent, and the same one to repeat it.",
);

/// 401: no access token, or one that is not valid.
pub const UNAUTHORIZED: Kind =
    Kind::plain(StatusCode::UNAUTHORIZED, "There is no access token, or it is not valid any more. Log in again.");

/// 403: not an administrator.
pub const ADMINS_ONLY: Kind = Kind::plain(StatusCode::FORBIDDEN, "Only an administrator may do this.");

/// 404: not there, or another's.
pub const NOT_FOUND: Kind = Kind::plain(StatusCode::NOT_FOUND, "It does not exist, or it is another's.");

/// 409: the same `Idempotency-Key` is being worked on.
pub const REQUEST_IN_FLIGHT: Kind = Kind::named(
    StatusCode::CONFLICT,
    "request-in-flight",
    "A request with this `Idempotency-Key` is under way. Ask again in a moment.",
);

/// 412: it has another version.
pub const CHANGED: Kind = Kind::plain(
    StatusCode::PRECONDITION_FAILED,
    "It has changed since you read it. Read it again and repeat the change with the new `ETag`.",
);

/// 413: a body beyond the limit.
pub const TOO_LARGE: Kind = Kind::plain(StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 1 MiB.");

/// 415: a body that is no JSON by its own word.
pub const NOT_JSON: Kind =
    Kind::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The `Content-Type` is not `application/json`.");

/// 422: wrong fields, all of them listed.
pub const INVALID_INPUT: Kind = Kind::named(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-input",
    "Fields are wrong or missing; `errors` names every one of them.",
);

/// 422: an `Idempotency-Key` that was used for something else.
pub const IDEMPOTENCY_KEY_REUSED: Kind = Kind::named(
    StatusCode::UNPROCESSABLE_ENTITY,
    "idempotency-key-reused",
    "This `Idempotency-Key` was used with another body. Use a fresh key for a new intent.",
);

/// 429: too many failures.
pub const TOO_MANY_FAILURES: Kind = Kind::plain(
    StatusCode::TOO_MANY_REQUESTS,
    "There were too many failures. Try again after the time that `Retry-After` tells.",
);

/// 500: a fault of the shop.
pub const INTERNAL: Kind = Kind::plain(
    StatusCode::INTERNAL_SERVER_ERROR,
    "Something failed on the shop's side. The log has it under `request_id`.",
);

/// 503: not now.
pub const UNAVAILABLE: Kind = Kind::plain(
    StatusCode::SERVICE_UNAVAILABLE,
    "A part of the shop does not answer just now. Repeat the request as it is.",
);

/// 504: it took too long.
pub const TOO_SLOW: Kind = Kind::plain(
    StatusCode::GATEWAY_TIMEOUT,
    "The request took longer than it may. Whether it had an effect is not known: ask, or repeat it under the same key.",
);
