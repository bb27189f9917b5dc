//! Which problems an operation may answer with, status by status.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Response, ResponseBuilder, extensions::ExtensionsBuilder};

use crate::problem::Kind;

/// Under this name an operation's own kinds wait in its responses until [`collect`] takes them.
const WAITING: &str = "x-kinds";

/// The kinds of one status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The status.
    pub status: StatusCode,
    /// Its kinds, the operation's own first.
    pub kinds: Vec<Noted>,
}

/// A kind, as documents tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Its `type`.
    pub uri: String,
    /// Its `title`.
    pub title: String,
    /// When it is answered.
    pub meaning: String,
}

impl From<Kind> for Noted {
    fn from(kind: Kind) -> Self {
        Self { uri: kind.uri(), title: kind.title(), meaning: kind.meaning.to_owned() }
    }
}

/// The responses in which an operation names its own kinds, for [`crate::refusals!`].
pub fn refused(kinds: &[Kind]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for kind in kinds {
        let noted = json!({ "uri": kind.uri(), "title": kind.title(), "meaning": kind.meaning });
        by_status.entry(kind.status.as_str().to_owned()).or_default().push(noted);
    }
    let response = |kinds: Vec<Value>| {
        let waiting = ExtensionsBuilder::new().add(WAITING, kinds).build();
        RefOr::T(ResponseBuilder::new().extensions(Some(waiting)).build())
    };
    by_status.into_iter().map(|(status, kinds)| (status, response(kinds))).collect()
}

/// Takes the operation's own kinds out of its responses and puts those beside them that follow from its form. Where the
/// operation itself says what a plain status means, the general word for it is left out.
pub fn collect(responses: &mut Map<String, Value>, following: Vec<Kind>) -> Vec<Outcome> {
    let mut outcomes: BTreeMap<StatusCode, Vec<Noted>> = BTreeMap::new();
    let waiting: Vec<String> = responses
        .iter()
        .filter(|(_, response)| response.get(WAITING).is_some())
        .map(|(status, _)| status.clone())
        .collect();
    for name in waiting {
        let response = responses.remove(&name).unwrap_or_default();
        let kinds = response.get(WAITING).and_then(Value::as_array).into_iter().flatten();
        if let Ok(status) = StatusCode::from_bytes(name.as_bytes()) {
            outcomes.entry(status).or_default().extend(kinds.map(noted));
        }
    }
    let own = outcomes.clone();
    let is_plain = |noted: &Noted| noted.uri == "about:blank";
    for kind in following {
        let noted = Noted::from(kind);
        let said = own.get(&kind.status).is_some_and(|own| own.iter().any(is_plain));
        if !(said && is_plain(&noted)) {
            outcomes.entry(kind.status).or_default().push(noted);
        }
    }
    outcomes.into_iter().map(|(status, kinds)| Outcome { status, kinds }).collect()
}

fn noted(value: &Value) -> Noted {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Noted { uri: text("uri"), title: text("title"), meaning: text("meaning") }
}
