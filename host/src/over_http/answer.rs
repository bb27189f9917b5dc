//! What an answer says of what was posted. Pure.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode, header};

use crate::limits::POSTED_REASON_LETTERS;

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It never will be.
    Rejected(String),
    /// It may be another time.
    NotNow {
        /// Why.
        reason: String,
        /// How long to wait at least, where the answer says so.
        pause: Option<Duration>,
    },
}

impl Refusal {
    pub(super) fn not_now(reason: String) -> Self {
        Self::NotNow { reason, pause: None }
    }

    /// The same with a secret left out, should the answer have repeated it.
    pub(super) fn without(mut self, secret: &str) -> Self {
        let (Self::Rejected(reason) | Self::NotNow { reason, .. }) = &mut self;
        *reason = reason.replace(secret, "…");
        self
    }
}

/// Whether an answer says that it was done.
pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8], now: DateTime<Utc>) -> Result<(), Refusal> {
    if status == StatusCode::NO_CONTENT {
        return Ok(());
    }
    let is_own_word = [StatusCode::UNPROCESSABLE_ENTITY, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
    let reason = match detail(body) {
        // What a component says for itself stands as it is; of any other answer it matters which it was.
        Some(detail) if is_own_word => detail,
        Some(detail) => format!("the answer was {status}: {detail}"),
        None => format!("the answer was {status}"),
    };
    Err(match status {
        StatusCode::UNPROCESSABLE_ENTITY => Refusal::Rejected(reason),
        _ => Refusal::NotNow { reason, pause: pause(headers, now) },
    })
}

/// The `detail` of a problem (RFC 9457), else the text itself.
fn detail(body: &[u8]) -> Option<String> {
    let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let detail = problem.as_ref().and_then(|problem| problem.get("detail")?.as_str()).map(str::to_owned);
    let text = detail.unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned());
    // Those who answer with what they were sent show the token with it, and a part of it may be at the end of what is taken.
    let text = if text.to_lowercase().contains("bearer") { String::new() } else { text };
    let short: String = text.chars().take(POSTED_REASON_LETTERS).collect();
    (!short.is_empty()).then_some(short)
}

/// `Retry-After`: seconds, or a time.
fn pause(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = DateTime::parse_from_rfc2822(text).ok()?;
    // A time that is over asks for nothing.
    Some(time.signed_duration_since(now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<&'static str>, body: &str) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
        }
        let now = DateTime::parse_from_rfc3339("2026-01-02T03:04:05Z").unwrap().to_utc();
        read(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes(), now)
    }

    fn not_now(reason: &str, pause_s: Option<u64>) -> Result<(), Refusal> {
        Err(Refusal::NotNow { reason: reason.to_owned(), pause: pause_s.map(Duration::from_secs) })
    }

    #[test]
    fn nothing_but_204_says_that_it_is_done() {
        assert_eq!(answered(204, None, ""), Ok(()));
        for status in [200, 202, 301, 400, 401, 404, 413, 500, 502] {
            assert!(matches!(answered(status, None, ""), Err(Refusal::NotNow { .. })), "{status}");
        }
        assert_eq!(answered(200, None, "welcome"), not_now("the answer was 200 OK: welcome", None));
    }

    #[test]
    fn a_rejection_has_the_reason_that_the_component_gave() {
        let problem = r#"{"type":"about:blank","status":422,"detail":"there is no such desk"}"#;
        assert_eq!(answered(422, None, problem), Err(Refusal::Rejected("there is no such desk".to_owned())));
        let bare = Err(Refusal::Rejected("the answer was 422 Unprocessable Entity".to_owned()));
        assert_eq!(answered(422, None, " \n"), bare);
        let long = "x".repeat(POSTED_REASON_LETTERS + 1);
        assert_eq!(answered(422, None, &long), Err(Refusal::Rejected("x".repeat(POSTED_REASON_LETTERS))));
    }

    #[test]
    fn it_comes_again_no_sooner_than_the_answer_asks_for() {
        assert_eq!(answered(503, Some("7"), r#"{"detail":"busy"}"#), not_now("busy", Some(7)));
        assert_eq!(answered(429, Some("2"), ""), not_now("the answer was 429 Too Many Requests", Some(2)));
        assert_eq!(answered(503, Some("Fri, 02 Jan 2026 03:04:15 GMT"), "busy"), not_now("busy", Some(10)));
        assert_eq!(answered(503, Some("Fri, 02 Jan 2026 03:04:00 GMT"), "busy"), not_now("busy", Some(0)));
        for text in ["soon", "-1", ""] {
            assert_eq!(answered(503, Some(text), "busy"), not_now("busy", None), "{text}");
        }
    }

    #[test]
    fn an_answer_that_repeats_the_token_is_not_repeated() {
        for body in
            ["POST /internal/desks/tick\nAuthorization: Bearer hunter2", r#"{"detail":"the token hunter2 is none"}"#]
        {
            for status in [200, 422, 503] {
                let told = format!("{:?}", answered(status, None, body).unwrap_err().without("hunter2"));
                assert!(!told.contains("hunter2"), "{told}");
            }
        }
    }
}
