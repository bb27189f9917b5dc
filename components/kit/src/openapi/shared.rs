//! What every document has in its components: the form of problems, the answers that mean the same everywhere, the
//! well-known headers, and how to log in.

use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use super::{
    inside,
    problems::{Noted, Outcome},
};
use crate::{
    Fault, Problem,
    problem::{Kind, PROBLEM_JSON, kinds},
};

/// Answers that mean the same wherever they come.
const ANSWERS: [(&str, Kind); 9] = [
    ("Unauthorized", kinds::UNAUTHORIZED),
    ("AdminsOnly", kinds::ADMINS_ONLY),
    ("NotFound", kinds::NOT_FOUND),
    ("TooLarge", kinds::TOO_LARGE),
    ("NotJson", kinds::NOT_JSON),
    ("InvalidInput", kinds::INVALID_INPUT),
    ("Internal", kinds::INTERNAL),
    ("Unavailable", kinds::UNAVAILABLE),
    ("TooSlow", kinds::TOO_SLOW),
];

/// What a problem's `detail` ends in where fields are wrong, in the examples.
const WRONG_FIELD: &str = "name";

/// An answer with these problems: a reference where it means the same everywhere.
pub fn response(outcome: &Outcome) -> Value {
    let same = |(_, kind): &&(&str, Kind)| outcome.kinds == [Noted::from(*kind)] && outcome.status == kind.status;
    match ANSWERS.iter().find(same) {
        Some((name, _)) => json!({ "$ref": format!("#/components/responses/{name}") }),
        None => answer(outcome),
    }
}

/// Puts a reference in the place of each header that means the same everywhere.
pub fn name_headers(response: &mut Map<String, Value>) {
    let Some(Value::Object(headers)) = response.get_mut("headers") else { return };
    let known = headers_known();
    for (name, header) in headers {
        if known.get(name).is_some() {
            *header = reference(name);
        }
    }
}

/// Says which answers may be the repetition of an earlier one: those that are stored with their key.
pub fn mark_replays(responses: &mut Map<String, Value>) {
    let stored = |status: &str| status.starts_with('2') || ["402", "403", "409", "422"].contains(&status);
    for (_, response) in responses.iter_mut().filter(|(status, _)| stored(status)) {
        let response = response.as_object_mut().filter(|response| !response.contains_key("$ref"));
        if let Some(headers) = response.and_then(|response| inside(response, "headers")) {
            headers.insert("Idempotent-Replayed".to_owned(), reference("Idempotent-Replayed"));
        }
    }
}

/// Puts all of it into the document's components.
pub fn insert(document: &mut Map<String, Value>) {
    let Some(components) = inside(document, "components") else { return };
    let answers = ANSWERS.iter().map(|(name, kind)| {
        let outcome = Outcome { status: kind.status, kinds: vec![Noted::from(*kind)] };
        ((*name).to_owned(), answer(&outcome))
    });
    let schema = |schema| serde_json::to_value(schema).unwrap_or_default();
    let schemas = [("Problem", schema(Problem::schema())), ("Fault", schema(Fault::schema()))];
    let parts: [(&str, Map<String, Value>); 4] = [
        ("schemas", schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()),
        ("responses", answers.collect()),
        ("headers", headers_known()),
        ("securitySchemes", security()),
    ];
    for (name, part) in parts {
        inside(components, name).into_iter().for_each(|known| known.extend(part.clone()));
    }
}

fn answer(outcome: &Outcome) -> Value {
    let status = outcome.status.as_u16();
    let mut uris: Vec<&str> = outcome.kinds.iter().map(|kind| kind.uri.as_str()).collect();
    uris.sort_unstable();
    uris.dedup();
    let examples: Map<String, Value> = outcome.kinds.iter().map(|kind| example(status, kind)).collect();
    let mut answer = json!({
        "description": description(&outcome.kinds),
        "content": { PROBLEM_JSON: {
            "schema": {
                "allOf": [{ "$ref": "#/components/schemas/Problem" }],
                "properties": { "type": { "enum": uris }, "status": { "const": status } },
            },
            "examples": examples,
        }},
    });
    let in_flight = outcome.kinds.contains(&Noted::from(kinds::REQUEST_IN_FLIGHT));
    let header = match status {
        401 => Some(("WWW-Authenticate", reference("WWW-Authenticate"))),
        429 | 503 => Some(("Retry-After", reference("Retry-After"))),
        // The other conflicts do not pass by waiting.
        409 if in_flight => Some((
            "Retry-After",
            json!({ "description": "While the key is worked on.", "schema": { "type": "integer" } }),
        )),
        _ => None,
    };
    if let (Some((name, header)), Some(fields)) = (header, answer.as_object_mut()) {
        fields.insert("headers".to_owned(), json!({ name: header }));
    }
    answer
}

fn description(kinds: &[Noted]) -> String {
    match kinds {
        [only] => only.meaning.clone(),
        several => several.iter().map(|kind| format!("- {}", kind.meaning)).collect::<Vec<_>>().join("\n"),
    }
}

/// A problem of this kind, under a name of its own among the examples of its status.
fn example(status: u16, kind: &Noted) -> (String, Value) {
    let mut value = json!({
        "type": kind.uri,
        "title": kind.title,
        "status": status,
        "detail": kind.meaning,
        "request_id": "01a20dc2681477c28fbe2a76232d529b",
    });
    let wrong = Noted::from(kinds::INVALID_INPUT);
    if let (true, Some(fields)) = (*kind == wrong, value.as_object_mut()) {
        fields.insert("detail".to_owned(), json!(format!("Wrong or missing: {WRONG_FIELD}.")));
        fields.insert("errors".to_owned(), json!([{ "field": WRONG_FIELD, "detail": "is required" }]));
    }
    let name = kind.uri.strip_prefix("/problems/").map_or_else(|| slug(&kind.meaning), str::to_owned);
    (name, json!({ "summary": kind.title, "value": value }))
}

/// A name out of a sentence: its first words.
fn slug(sentence: &str) -> String {
    let words = sentence.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(8).collect::<Vec<_>>().join("-").to_lowercase()
}

fn reference(header: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{header}") })
}

/// The headers that mean the same everywhere. A required one is never missing where an answer names it.
fn headers_known() -> Map<String, Value> {
    let known = [
        (
            "ETag",
            true,
            json!({ "type": "string", "pattern": "^\"[0-9a-f]+\"$" }),
            json!("\"1\""),
            "The version of what is shown. Send it back as `If-Match`.",
        ),
        (
            "Location",
            true,
            json!({ "type": "string", "format": "uri-reference" }),
            json!("/api/v1/orders/1"),
            "Where the new resource is.",
        ),
        (
            "Link",
            false,
            json!({ "type": "string" }),
            json!("</api/v1/orders?limit=20&cursor=MTc5NTUyNjIxODMyNzYyNi4x>; rel=\"next\""),
            "The next page (RFC 8288); missing on the last one.",
        ),
        (
            "Retry-After",
            true,
            json!({ "type": "integer", "minimum": 0 }),
            json!(1),
            "Seconds after which asking again may help.",
        ),
        (
            "WWW-Authenticate",
            true,
            json!({ "type": "string" }),
            json!("Bearer realm=\"shop\", error=\"invalid_token\""),
            "What to log in with (RFC 6750).",
        ),
        (
            "Idempotent-Replayed",
            false,
            json!({ "type": "string", "enum": ["true"] }),
            json!("true"),
            "There when this is the first answer again, to a repetition with the same key.",
        ),
    ];
    let header = |(name, required, schema, example, description): (&str, bool, Value, Value, &str)| {
        let header = json!({ "description": description, "required": required, "schema": schema, "example": example });
        (name.to_owned(), header)
    };
    known.into_iter().map(header).collect()
}

fn security() -> Map<String, Value> {
    let bearer = json!({
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `access_token` of `POST /api/v1/sessions`. It lives for ten minutes; the `refresh_token` gets \
                        the next one. An operation that requires the role `admin` is for administrators.",
    });
    Map::from_iter([("bearer".to_owned(), bearer)])
}
