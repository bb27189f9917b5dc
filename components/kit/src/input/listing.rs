//! What a list is asked for: its filter, and which page of it.

use std::collections::HashSet;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, openapi::path::ParameterIn};

use super::{
    Input,
    fields::{Unknown, read_fields},
    json::{NUL_FAULT, TWICE_FAULT},
};
use crate::{
    Faults, Problem,
    page::{Cursor, PageQuery, Paging},
};

/// The parameters by which a list is filtered, all read as strings.
pub trait ListInput: Input + IntoParams {
    /// Where a page of the list begins.
    type Place;

    /// The place that a cursor of the filtered list stands for; `None` for one that the list did not give.
    fn place(filter: &Self::Checked, cursor: &str) -> Option<Self::Place>;
}

/// A checked query: the filter and the page. A problem lists every fault of both. Parameters that the list does not know
/// are ignored.
#[derive(Debug)]
pub struct Listing<T: ListInput>(pub T::Checked, pub Paging<T::Place>);

/// A list without a filter, in the order in which its rows were made.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Everything {}

impl Input for Everything {
    type Checked = ();

    fn check(self, _faults: &mut Faults) -> Option<()> {
        Some(())
    }
}

impl ListInput for Everything {
    type Place = Cursor;

    fn place(_filter: &(), cursor: &str) -> Option<Cursor> {
        Cursor::decode(cursor)
    }
}

impl<S: Send + Sync, T: ListInput> FromRequestParts<S> for Listing<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let page = PageQuery::of(&pairs);
        let filter: Map<String, Value> = pairs
            .iter()
            .filter(|(name, _)| !PageQuery::has(name))
            .map(|(name, value)| (name.clone(), Value::String(value.clone())))
            .collect();
        read_fields::<T>(filter, Unknown::Ignored).noting(oddities::<T>(&pairs)).check(|raw, faults| {
            let filter = raw.check(faults);
            let limit = page.limit(faults);
            let after = page.after(faults, |cursor| T::place(filter.as_ref()?, cursor));
            Some(Self(filter?, Paging::new(limit?, after, parts.uri.path(), &pairs)))
        })
    }
}

/// What is wrong with known parameters however they are read.
fn oddities<T: IntoParams>(pairs: &[(String, String)]) -> Faults {
    let mut seen = HashSet::new();
    let twice = pairs.iter().filter(|(name, _)| !seen.insert(name)).map(|(name, _)| (name, TWICE_FAULT));
    let nul = pairs.iter().filter(|(_, value)| value.contains('\0')).map(|(name, _)| (name, NUL_FAULT));
    let found: Vec<_> = nul.chain(twice).collect();
    let mut faults = Faults::new();
    if found.is_empty() {
        return faults;
    }
    // The document knows which parameters there are.
    let described = [T::into_params(|| Some(ParameterIn::Query)), PageQuery::into_params(|| Some(ParameterIn::Query))];
    let known: HashSet<String> = described.into_iter().flatten().map(|parameter| parameter.name).collect();
    for (name, detail) in found.into_iter().filter(|(name, _)| known.contains(*name)) {
        faults.add(name, detail);
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(query: &str) -> Result<Listing<Everything>, Problem> {
        let request = http::Request::get(format!("/api/v1/things?{query}")).body(());
        let (mut parts, ()) = request.unwrap().into_parts();
        Listing::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_limit_out_of_bounds_is_refused() {
        for limit in ["0", "101", "-1", "many", ""] {
            let problem = ask(&format!("limit={limit}")).await.unwrap_err();
            assert_eq!(problem.detail(), "Wrong or missing: limit.");
        }
    }

    #[tokio::test]
    async fn one_problem_tells_everything_about_the_page() {
        let problem = ask("limit=x&cursor=%00&more=1&more=2").await.unwrap_err();
        assert_eq!(problem.detail(), "Wrong or missing: cursor, limit.");
        assert_eq!(ask("limit=1&limit=1").await.unwrap_err().detail(), "Wrong or missing: limit.");
    }

    #[tokio::test]
    async fn the_next_page_keeps_the_other_parameters() {
        let Listing((), paging) = ask("q=a%20b&limit=2").await.unwrap();
        let page = paging.page(vec![1, 2, 3], |row| format!("after{row}"));
        assert_eq!(page.rows, [1, 2]);
        assert_eq!(page.next.as_deref(), Some("/api/v1/things?q=a+b&limit=2&cursor=after2"));
        assert_eq!(paging.page(vec![1, 2], |_| String::new()).next, None);
    }
}
