//! Keyset pages: an opaque cursor over (created_at, id) instead of an offset, so that a page costs the same anywhere
//! in the list and rows that arrive meanwhile shift nothing.

use axum::{
    Json,
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use http::{HeaderValue, header, request::Parts};
use serde::Serialize;

use crate::{Faults, Problem};

/// Rows on a page where the client names no limit.
pub const LIMIT_DEFAULT: i64 = 20;
/// Rows on a page at most.
pub const LIMIT_MAX: i64 = 100;

/// A place in a list: behind the row with this time and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// When the row was created, to the microsecond, as the database keeps it.
    pub created_at: DateTime<Utc>,
    /// The row's id, which decides between rows of the same moment.
    pub id: i64,
}

impl Cursor {
    /// The cursor as clients see it.
    pub fn encode(self) -> String {
        let text = format!("{}.{}", self.created_at.timestamp_micros(), self.id);
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads a cursor that [`Cursor::encode`] wrote; `None` for anything else.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (micros, id) = text.split_once('.')?;
        Some(Self { created_at: DateTime::from_timestamp_micros(micros.parse().ok()?)?, id: id.parse().ok()? })
    }
}

/// Which page is asked for: the query's `limit` and `cursor`. It leaves the other parameters to [`crate::Query`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// Rows wanted, 1 to [`LIMIT_MAX`].
    pub limit: i64,
    /// Where to go on; `None` for the first page.
    pub cursor: Option<String>,
    /// Path and query without the cursor, to build the next page's address from.
    base: String,
}

impl Paging {
    /// The place to go on from, in a list over (created_at, id).
    pub fn place(&self) -> Result<Option<Cursor>, Problem> {
        let Some(text) = &self.cursor else {
            return Ok(None);
        };
        Cursor::decode(text).map(Some).ok_or_else(unknown_cursor)
    }

    /// How many rows to ask the database for: one more than wanted tells whether there is a next page.
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// The page out of the [`Paging::fetch`]ed rows; `cursor` gives a row's place.
    pub fn page<T>(&self, mut rows: Vec<T>, cursor: impl Fn(&T) -> String) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| {
            let separator = if self.base.contains('?') { '&' } else { '?' };
            format!("{}{separator}cursor={}", self.base, cursor(row))
        });
        Page { rows, next }
    }
}

/// 422 for a cursor that this list did not give out.
pub fn unknown_cursor() -> Problem {
    let mut faults = Faults::new();
    faults.add("cursor", "is not one that this list gave; start without it");
    Problem::invalid(faults)
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
            .map_err(|_| Problem::malformed("The query string cannot be read."))?;
        let find = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, v)| v);
        let limit = match find("limit").map(|text| text.parse::<i64>()) {
            None => LIMIT_DEFAULT,
            Some(Ok(limit)) if (1..=LIMIT_MAX).contains(&limit) => limit,
            Some(_) => {
                let mut faults = Faults::new();
                faults.add("limit", format!("must be a number from 1 to {LIMIT_MAX}"));
                return Err(Problem::invalid(faults));
            }
        };
        let cursor = find("cursor").cloned();
        let others: Vec<_> = pairs.iter().filter(|(key, _)| key != "cursor").collect();
        let query = serde_urlencoded::to_string(&others).unwrap_or_default();
        let path = parts.uri.path();
        let base = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        Ok(Self { limit, cursor, base })
    }
}

/// One page of a list: a JSON array, and the address of the next page in a `Link` header (RFC 8288).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Path and query of the next page, where there is one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The same page of other rows.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(change).collect(), next: self.next }
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.rows).into_response();
        let link = self.next.and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok());
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_journey() {
        let cursor = Cursor { created_at: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(), id: 42 };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        for foreign in ["", "%%%", "MTIz", "bm8uaWQ"] {
            assert_eq!(Cursor::decode(foreign), None);
        }
    }

    #[tokio::test]
    async fn the_next_page_keeps_the_other_parameters() {
        let request = http::Request::get("/api/v1/things?q=a%20b&limit=2&cursor=x").body(());
        let (mut parts, ()) = request.unwrap().into_parts();
        let paging = Paging::from_request_parts(&mut parts, &()).await.unwrap();
        let page = paging.page(vec![1, 2, 3], |row| format!("after{row}"));
        assert_eq!(page.rows, [1, 2]);
        assert_eq!(page.next.as_deref(), Some("/api/v1/things?q=a+b&limit=2&cursor=after2"));
        assert_eq!(paging.page(vec![1, 2], |_| String::new()).next, None);
    }

    #[tokio::test]
    async fn a_limit_out_of_bounds_is_refused() {
        for limit in ["0", "101", "-1", "many"] {
            let request = http::Request::get(format!("/things?limit={limit}")).body(());
            let (mut parts, ()) = request.unwrap().into_parts();
            let problem = Paging::from_request_parts(&mut parts, &()).await.unwrap_err();
            assert_eq!(problem.status(), 422);
        }
    }
}
