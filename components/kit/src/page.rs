//! Keyset pages: an opaque cursor over (created_at, id) instead of an offset, so that a page costs the same anywhere
//! in the list and rows that arrive meanwhile shift nothing.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Datelike, Utc};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::IntoParams;

use crate::Faults;

/// Rows on a page where the client names no limit.
pub const LIMIT_DEFAULT: i64 = 20;
/// Rows on a page at most.
pub const LIMIT_MAX: i64 = 100;

/// Years in which rows may have been made.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

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
        let created_at = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
        // No row is older than the shop, and the database cannot count as far as a client can.
        let sound = YEARS.contains(&created_at.year());
        Some(Self { created_at: sound.then_some(created_at)?, id: id.parse().ok()? })
    }
}

/// The query of every list, as the documents show it.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery<'a> {
    /// How many rows a page has at most.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<&'a str>,
    /// Where the page begins: out of the `Link` header of the page before, as it stands there.
    #[param(value_type = Option<String>)]
    cursor: Option<&'a str>,
}

impl<'a> PageQuery<'a> {
    /// The query's own words.
    pub(crate) fn of(pairs: &'a [(String, String)]) -> Self {
        let find = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        Self { limit: find("limit"), cursor: find("cursor") }
    }

    /// Whether it has a parameter of this name.
    pub(crate) fn has(name: &str) -> bool {
        ["limit", "cursor"].contains(&name)
    }

    /// How many rows are wanted, or `None` after noting that it cannot be meant.
    pub(crate) fn limit(&self, faults: &mut Faults) -> Option<i64> {
        let sound = |text: &str| text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        let limit = self.limit.map_or(Some(LIMIT_DEFAULT), sound);
        faults.take("limit", limit.ok_or_else(|| format!("must be a number from 1 to {LIMIT_MAX}")))
    }

    /// Where to begin, or `None` after noting that the list gave no such cursor.
    pub(crate) fn after<P>(&self, faults: &mut Faults, place: impl FnOnce(&str) -> Option<P>) -> Option<P> {
        let place = place(self.cursor?);
        faults.take("cursor", place.ok_or("is not one that this list gave; start without it"))
    }
}

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging<P> {
    /// Where to go on; `None` for the first page.
    pub after: Option<P>,
    /// Rows wanted, 1 to [`LIMIT_MAX`].
    limit: i64,
    /// Path and query without the cursor, to build the next page's address from.
    base: String,
}

impl<P> Paging<P> {
    pub(crate) fn new(limit: i64, after: Option<P>, path: &str, query: &[(String, String)]) -> Self {
        let others = query.iter().filter(|(name, _)| name != "cursor");
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(others).finish();
        let base = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        Self { after, limit, base }
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
        for micros in [i64::MIN, -1, 300_000_000_000_000_000, i64::MAX] {
            let beyond = BASE64_URL_SAFE_NO_PAD.encode(format!("{micros}.1"));
            assert_eq!(Cursor::decode(&beyond), None, "{micros}");
        }
    }
}

#[cfg(test)]
#[path = "page_properties.rs"]
mod properties;
